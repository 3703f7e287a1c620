// SPDX-License-Identifier: Apache-2.0
// The measurement of a case whose traffic is the same all the time. Whatever was not forwarded as the case has it makes
// the measurement worthless: an error.
#pragma once

#include "perf/rig/cases.h"
#include "perf/rig/report.h"
#include "perf/rig/rig.h"

namespace bulkhead::rig {

/// Everybody is known and talks. The figures and `details`.
Result<Json> measure_steady(Rig& rig, const Case& chosen, double seconds);

/// That nothing was dropped (but for frames to stations that the table could not place), and no more frames left than
/// the case asks for.
Result<> check_tally(const Window& window, Metric metric);

}  // namespace bulkhead::rig
