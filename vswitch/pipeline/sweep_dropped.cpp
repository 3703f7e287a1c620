// SPDX-License-Identifier: Apache-2.0
#include <rte_mbuf.h>

#include "vswitch/pipeline/deliver.h"

namespace bulkhead {

void sweep_dropped(const Batch& batch, WorkerCounters& counters) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (batch.alive(row)) [[likely]]
            continue;
        const auto reason = static_cast<std::size_t>(batch.verdict[row]);
        TrafficCounters& counted =
            batch.ingress[row] == kNoAttachment ? counters.ports[batch.port] : counters.attachments[batch.ingress[row]];
        counted.drops[reason].add(1);
        counters.books.drops[reason].add(1);
        rte_pktmbuf_free(batch.frames[row]);
    }
}

}  // namespace bulkhead
