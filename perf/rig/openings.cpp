// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/openings.h"

#include <chrono>
#include <string>

#include "perf/rig/measure.h"
#include "perf/rig/source.h"

namespace bulkhead::rig {
namespace {

Result<Window> open_all(Rig& rig) {
    const Window begin = rig.read();
    if (auto ok = rig.introduce_once(); !ok) return failure(std::move(ok.error()));
    const Window window = between(begin, rig.read());
    const std::size_t wanted = rig.scene().connections, held = rig.forwarder().connections_held().value_or(wanted);
    if (held != wanted)
        return failure({.message = "the table held " + std::to_string(held) + " connections after a lap that opened " +
                                   std::to_string(wanted)});
    if (auto ok = check_tally(window, Metric::packet); !ok) return failure(std::move(ok.error()));
    return window;
}

}  // namespace

Result<Json> measure_openings(Rig& rig, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    Window all;
    int laps = 0;
    do {
        rig.forwarder().end_connections();
        const auto lap = open_all(rig);
        if (!lap) return failure(lap.error());
        all += *lap;
        ++laps;
        rig.pass(0);
    } while (Clock::now() < end);
    Json report;
    add_figures(report, all);
    report["details"] = {{"laps", laps}, {"connections_a_lap", rig.scene().connections}};
    return report;
}

}  // namespace bulkhead::rig
