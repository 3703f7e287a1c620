// SPDX-License-Identifier: Apache-2.0
// Which CPUs the workers run on: the text of `node.cores`, in the list format of cpuset(7) ("1,3-5").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vswitch/base/result.h"

namespace bulkhead {

/// The CPUs this process may run on (sched_getaffinity(2): the machine's, less what a cpuset or taskset took away),
/// ascending. Ask before EAL starts: it narrows the affinity of the threads it makes.
std::vector<std::uint16_t> available_cores();

/// Reads a CPU list in the order written; worker k runs on the k-th. Errors have field `/cores` and say which CPUs
/// there are.
Result<std::vector<std::uint16_t>> parse_cores(std::string_view text, const std::vector<std::uint16_t>& available);
Result<std::vector<std::uint16_t>> parse_cores(std::string_view text);

/// The list format back again, ranges joined: {0, 1, 2, 5} is "0-2,5".
std::string format_cores(const std::vector<std::uint16_t>& cores);

}  // namespace bulkhead
