// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/memory_report.h"

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

namespace bulkhead::daemon {

nlohmann::json memory_report(const rte_mempool* buffers) {
    std::size_t total = 0, used = 0;
    for (unsigned i = 0; i < rte_socket_count(); ++i) {
        rte_malloc_socket_stats stats{};
        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) != 0) continue;
        total += stats.heap_totalsz_bytes;
        used += stats.heap_allocsz_bytes;
    }
    return {{"buffers_total", buffers->size},
            {"buffers_free", rte_mempool_avail_count(buffers)},
            {"heap_bytes", total},
            {"heap_used_bytes", used}};
}

}  // namespace bulkhead::daemon
