// SPDX-License-Identifier: Apache-2.0
// How fast connections are opened. A lap: every source opens its share, as fast as it is served, until the table is as
// full as it gets; only that is measured. Then the clock goes forward, until silence has ended all of them.
#pragma once

#include "perf/rig/report.h"
#include "perf/rig/rig.h"

namespace bulkhead::rig {

/// Laps for about `seconds`. The figures are those of all laps together, in `details` how many were opened.
Result<Json> measure_openings(Rig& rig, double seconds);

}  // namespace bulkhead::rig
