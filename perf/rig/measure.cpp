// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/measure.h"

#include <string>

namespace bulkhead::rig {
namespace {

Json by_worker(const Window& window) {
    Json list = Json::array();
    for (const WorkerWindow& worker : window.workers)
        list.push_back({{"transmitted", worker.transmitted},
                        {"core_s", worker.core_s},
                        {"mpps", static_cast<double>(worker.transmitted) / worker.core_s / 1e6}});
    return list;
}

Result<> check(Rig& rig, const Window& window, Metric metric) {
    if (window.transmitted() == 0 || window.core_s() <= 0)
        return failure({.message = "no frame was moved within the window"});
    const std::size_t held = rig.forwarder().macs_held().value_or(rig.known());
    if (held != rig.known())
        return failure({.message = "the MAC table held " + std::to_string(held) + " stations at the end, " +
                                   std::to_string(rig.known()) + " at the beginning"});
    const std::size_t open = rig.scene().connections, open_now = rig.forwarder().connections_held().value_or(open);
    if (open_now != open)
        return failure({.message = "the table held " + std::to_string(open_now) +
                                   " connections at the end instead of " + std::to_string(open)});
    return check_tally(window, metric);
}

}  // namespace

Result<> check_tally(const Window& window, Metric metric) {
    const Tally& tally = window.tally;
    if (tally.unknown > 0 || tally.drops > 0 || (metric == Metric::packet && tally.copies > 0))
        return failure({.message = std::to_string(tally.unknown) + " frames had an unknown destination, " +
                                   std::to_string(tally.copies) + " were copied, " + std::to_string(tally.drops) +
                                   " dropped: not what was to be measured"});
    return {};
}

Result<Json> measure_steady(Rig& rig, const Case& chosen, double seconds) {
    const Window window = rig.watch(seconds);
    if (auto ok = check(rig, window, chosen.metric); !ok) return failure(std::move(ok.error()));
    Json report;
    add_figures(report, window);
    Json& details = report["details"];
    details["stations"] = rig.scene().macs;
    if (chosen.metric == Metric::copy) {
        details["cycles_per_copy"] = cycles_per_packet(window);
        details["copies"] = window.tally.copies;
    }
    if (const auto held = rig.forwarder().macs_held()) {
        details["macs_held"] = *held;
        details["floods"] = window.tally.unknown;
        details["drops"] = window.tally.drops;
    }
    details["workers"] = by_worker(window);
    details["mpps_of_all"] = mpps_of_all(window);
    return report;
}

}  // namespace bulkhead::rig
