// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/workers.h"

#include <latch>
#include <memory>
#include <pthread.h>

#include "pmd/eal.h"

namespace bulkhead::rig {

Result<> Workers::start(Forwarder& forwarder, std::uint16_t count, Workers& workers) {
    workers.clocks_.resize(count);
    auto ready = std::make_shared<std::latch>(count);
    auto launched = launch_workers([&forwarder, &workers, ready](std::uint16_t worker) {
        pthread_getcpuclockid(pthread_self(), &workers.clocks_[worker]);
        ready->count_down();
        forwarder.run_worker(worker);
    });
    if (!launched) return launched;
    workers.forwarder_ = &forwarder;
    ready->wait();
    return {};
}

void Workers::stop() {
    if (forwarder_ == nullptr) return;
    forwarder_->stop();
    join_workers();
    forwarder_ = nullptr;
}

double Workers::core_s(std::uint16_t worker) const {
    timespec spent{};
    clock_gettime(clocks_[worker], &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace bulkhead::rig
