// SPDX-License-Identifier: Apache-2.0
// The in-memory test rig: the real switch with real workers between ports of our own, for what net_pcap can't replay
// and 32 ethdevs can't connect. One run measures one case with one program and prints one JSON object; all else goes to
// the standard error. What the ports themselves cost is measured by the floor, between the same ports.
#include <cstdio>
#include <exception>
#include <memory>
#include <pthread.h>

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "perf/rig/bulkhead.h"
#include "perf/rig/floor.h"
#include "perf/rig/learning.h"
#include "perf/rig/measure.h"
#include "perf/rig/openings.h"
#include "perf/rig/options.h"
#include "pmd/eal.h"

namespace {

using namespace bulkhead;
using namespace bulkhead::rig;

constexpr std::uint32_t kMemoryMib = 512;  ///< the daemon's default

void log_to_stderr() {
    auto logger = std::make_shared<spdlog::logger>("rig", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
}

Result<rte_mempool*> start_dpdk(const Options& options) {
    EalSettings eal{.memory_mib = kMemoryMib, .program = "rig"};
    eal.cores = {options.worker_core};
    if (options.chosen->workers > 1) eal.cores.push_back(options.control_core);
    if (auto ok = start_eal(eal); !ok) return failure(std::move(ok.error()));
    cpu_set_t control;
    CPU_ZERO(&control);
    CPU_SET(options.control_core, &control);
    if (pthread_setaffinity_np(pthread_self(), sizeof control, &control) != 0)
        return failure({.message = "this thread can't be bound to CPU " + std::to_string(options.control_core)});
    return create_buffers(kMemoryMib);
}

Result<std::unique_ptr<Forwarder>> make_forwarder(Program program, const Scene& scene, rte_mempool* buffers) {
    if (program == Program::floor) return std::make_unique<Floor>(scene);
    auto made = Bulkhead::create(scene, buffers);
    if (!made) return failure(std::move(made.error()));
    return std::move(*made);
}

Result<Json> measure(Rig& rig, const Options& options) {
    if (auto ok = rig.introduce(); !ok) return failure(std::move(ok.error()));
    if (options.chosen->metric == Metric::opening) return measure_openings(rig, options.seconds);
    rig.talk();
    rig.pass(options.warm_up);
    if (rig.scene().newcomers != nullptr) return measure_learning(rig, options.seconds);
    return measure_steady(rig, *options.chosen, options.seconds);
}

Result<Json> run(const Options& options) {
    const auto buffers = start_dpdk(options);
    if (!buffers) return failure(buffers.error());
    const Scene scene = options.chosen->set_up(options.chosen->workers, *buffers);
    const auto forwarder = make_forwarder(options.program, scene, *buffers);
    if (!forwarder) return failure(forwarder.error());
    Workers workers;
    if (auto ok = Workers::start(**forwarder, scene.workers, workers); !ok) return failure(std::move(ok.error()));
    Rig rig(scene, **forwarder, workers);
    auto report = measure(rig, options);
    workers.stop();
    if (!report) return report;
    if (auto ok = (*forwarder)->check_books(); !ok) return failure(std::move(ok.error()));
    if (const unsigned lost = rte_mempool_in_use_count(*buffers); lost > 0)
        return failure({.message = std::to_string(lost) + " packet buffers did not come back"});
    return report;
}

int fail(const Error& error) {
    std::fprintf(stderr, "rig: %s%s\n", error.message.c_str(),
                 error.allowed.empty() ? "" : (" (allowed: " + error.allowed + ")").c_str());
    return 1;
}

int start(int argc, char** argv) {
    const auto options = parse_options(argc, argv);
    if (!options) {
        (void)fail(options.error());
        std::fputs("Try: rig --help\n", stderr);
        return 2;
    }
    if (options->help) return std::fputs(usage().c_str(), stdout) < 0;
    log_to_stderr();
    auto report = run(*options);
    if (!report) return fail(report.error());
    Json whole{{"case", options->chosen->name},
               {"program", options->program == Program::floor ? "floor" : "bulkhead"},
               {"tsc_hz", rte_get_tsc_hz()}};
    whole.update(*report);
    return std::printf("%s\n", whole.dump().c_str()) < 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return start(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rig: %s\n", error.what());
        return 1;
    }
}
