// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

struct rte_mempool;

namespace bulkhead::daemon {

/// `memory` of system.get: packet buffers, and DPDK's heap in bytes over all NUMA nodes.
[[nodiscard]] nlohmann::json memory_report(const rte_mempool* buffers);

}  // namespace bulkhead::daemon
