// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/window.h"

#include "perf/rig/newcomers.h"

namespace bulkhead::rig {

std::uint64_t Window::transmitted() const {
    std::uint64_t sum = 0;
    for (const WorkerWindow& worker : workers) sum += worker.transmitted;
    return sum;
}

double Window::core_s() const {
    double sum = 0;
    for (const WorkerWindow& worker : workers) sum += worker.core_s;
    return sum;
}

Window& Window::operator+=(const Window& other) {
    workers.resize(other.workers.size());
    wall_s += other.wall_s;
    received += other.received;
    newcomers += other.newcomers;
    learned += other.learned;
    tally.unknown += other.tally.unknown;
    tally.copies += other.tally.copies;
    tally.drops += other.tally.drops;
    for (std::size_t at = 0; at < workers.size(); ++at) {
        workers[at].transmitted += other.workers[at].transmitted;
        workers[at].core_s += other.workers[at].core_s;
    }
    return *this;
}

Window read(const Scene& scene, const Forwarder& forwarder, const Workers& workers) {
    using namespace std::chrono;
    Window now{.workers = std::vector<WorkerWindow>(scene.workers)};
    now.wall_s = duration<double>(steady_clock::now().time_since_epoch()).count();
    for (std::uint16_t worker = 0; worker < scene.workers; ++worker) {
        // Side by side: they are divided by one another.
        for (const auto& port : scene.ports) now.workers[worker].transmitted += port->transmitted(worker);
        now.workers[worker].core_s = workers.core_s(worker);
    }
    for (const auto& port : scene.ports) now.received += port->received();
    if (scene.newcomers != nullptr) now.newcomers = scene.newcomers->received();
    now.learned = forwarder.macs_held().value_or(0);
    now.tally = forwarder.tally();
    return now;
}

Window between(const Window& begin, const Window& end) {
    Window window = end;
    window.wall_s -= begin.wall_s;
    window.received -= begin.received;
    window.newcomers -= begin.newcomers;
    window.learned -= begin.learned;
    window.tally.unknown -= begin.tally.unknown;
    window.tally.copies -= begin.tally.copies;
    window.tally.drops -= begin.tally.drops;
    for (std::size_t at = 0; at < window.workers.size(); ++at) {
        window.workers[at].transmitted -= begin.workers[at].transmitted;
        window.workers[at].core_s -= begin.workers[at].core_s;
    }
    return window;
}

}  // namespace bulkhead::rig
