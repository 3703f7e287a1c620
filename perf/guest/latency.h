// SPDX-License-Identifier: Apache-2.0
// From the first port to the second at a constant rate: how long does a frame take?
//
// One thread sends and receives, so a round of its loop is part of every figure, whatever switch is between. A frame
// that could not be sent in time is sent late, four at once at most; what a longer stall has kept back is left out.
#pragma once

#include "perf/guest/options.h"
#include "perf/guest/station.h"

namespace bulkhead::guest {

/// Until standard input ends. Each line on it is answered by a line of JSON: `sent` and `received`, counts since the
/// beginning; `core_s` and `wall_s`, of this thread; and of the time since the last line `seconds`, `sent_since`,
/// `skipped` (left out), and the latencies in ns: `p50_ns`, `p99_ns`, `p999_ns`, `max_ns`.
void run_latency(Station& source, Station& sink, const Options& options);

}  // namespace bulkhead::guest
