// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/account.h"

#include "vswitch/base/cpu_clones.h"

namespace bulkhead {

BULKHEAD_CPU_CLONES void account_received(const Batch& batch, const Snapshot& snapshot,
                                          WorkerCounters& counters) noexcept {
    std::uint64_t all_bytes = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) all_bytes += batch.length[row];
    if (!batch.is_decapsulated) [[likely]] {
        counters.ports[batch.port].rx_packets.add(batch.count);
        counters.ports[batch.port].rx_bytes.add(all_bytes);
        counters.books.received.add(batch.count);
    }

    const auto write = [&](AttachmentIndex attachment, std::uint64_t packets, std::uint64_t bytes) {
        if (attachment == kNoAttachment) return;
        counters.attachments[attachment].rx_packets.add(packets);
        counters.attachments[attachment].rx_bytes.add(bytes);
        if (!batch.is_decapsulated) [[likely]]
            return;
        TrafficCounters& tunnel = counters.ports[snapshot.attachments[attachment].port];
        tunnel.rx_packets.add(packets);
        tunnel.rx_bytes.add(bytes);
    };
    if (batch.attachment != kNoAttachment) return write(batch.attachment, batch.count, all_bytes);
    for (std::uint16_t first = 0, row = 0; row < batch.count; first = row) {
        std::uint64_t bytes = 0;
        for (; row < batch.count && batch.ingress[row] == batch.ingress[first]; ++row) bytes += batch.length[row];
        write(batch.ingress[first], static_cast<std::uint64_t>(row - first), bytes);
    }
}

}  // namespace bulkhead
