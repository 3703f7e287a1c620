// SPDX-License-Identifier: Apache-2.0
// A measurement as JSON: the figures that every case has, and its details.
#pragma once

#include <nlohmann/json.hpp>

#include "perf/rig/window.h"

namespace bulkhead::rig {

using Json = nlohmann::ordered_json;

/// What one frame that left has cost, in cycles of the TSC.
[[nodiscard]] double cycles_per_packet(const Window& window);
/// Millions of frames that left, a second of a worker's core.
[[nodiscard]] double mpps(const Window& window);
/// What all workers together would forward, each with a core to itself.
[[nodiscard]] double mpps_of_all(const Window& window);

/// Into `report`: received, transmitted, wall_s, core_s, cycles_per_packet, mpps.
void add_figures(Json& report, const Window& window);

}  // namespace bulkhead::rig
