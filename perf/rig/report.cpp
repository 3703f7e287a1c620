// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/report.h"

#include <rte_cycles.h>

namespace bulkhead::rig {

double cycles_per_packet(const Window& window) {
    return static_cast<double>(rte_get_tsc_hz()) * window.core_s() / static_cast<double>(window.transmitted());
}

double mpps(const Window& window) {
    return static_cast<double>(window.transmitted()) / window.core_s() / 1e6;
}

double mpps_of_all(const Window& window) {
    double sum = 0;
    for (const WorkerWindow& worker : window.workers)
        sum += static_cast<double>(worker.transmitted) / worker.core_s / 1e6;
    return sum;
}

void add_figures(Json& report, const Window& window) {
    report["received"] = window.received;
    report["transmitted"] = window.transmitted();
    report["wall_s"] = window.wall_s;
    report["core_s"] = window.core_s();
    report["cycles_per_packet"] = cycles_per_packet(window);
    report["mpps"] = mpps(window);
}

}  // namespace bulkhead::rig
