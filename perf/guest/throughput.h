// SPDX-License-Identifier: Apache-2.0
// The open-loop source and sink: every port sends as much as its ring takes, whatever comes back.
#pragma once

#include <vector>

#include "perf/guest/options.h"
#include "perf/guest/station.h"

namespace bulkhead::guest {

/// Until standard input ends. Each line on it is answered by a line of JSON: `sent` and `received`, counts by port
/// since the beginning; `offers` and `refused`: how often a burst was offered to a ring, and how often it was full and
/// took less; `core_s` and `wall_s`, of this thread. Where no burst is refused or others have the core, the guest
/// limits.
void run_throughput(std::vector<Station>& stations, const Options& options);

}  // namespace bulkhead::guest
