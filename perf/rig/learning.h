// SPDX-License-Identifier: Apache-2.0
// What learning costs those who are known. Three kinds of windows take turns while known stations talk as fast as they
// are forwarded:
//   new    a million newcomers a second, each with one frame: all are learned
//   off    no newcomers
//   known  the same newcomers once more, at the same rate: as many frames, as many entries read, nothing learned
// The difference between new and known is learning; that between known and off is a million frames more.
//
// A lap is three turns; by its end all newcomers are learned and the table holds a million MACs. Then they are
// forgotten, outside of the windows, and the next lap begins.
#pragma once

#include "perf/rig/report.h"
#include "perf/rig/rig.h"

namespace bulkhead::rig {

/// `seconds` for all the windows together. The figures are those of the windows with new ones.
Result<Json> measure_learning(Rig& rig, double seconds);

}  // namespace bulkhead::rig
