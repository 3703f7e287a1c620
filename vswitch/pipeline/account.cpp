// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/account.h"

#include <rte_mbuf.h>

namespace bulkhead {

void account_received(const Batch& batch, WorkerCounters& counters) noexcept {
    std::uint64_t all_bytes = 0, bytes = 0, packets = 0;
    AttachmentIndex attachment = kNoAttachment;
    const auto write = [&] {
        if (attachment == kNoAttachment) return;
        counters.attachments[attachment].rx_packets.add(packets);
        counters.attachments[attachment].rx_bytes.add(bytes);
    };
    // Most bursts are of one attachment: add up while it stays the same, write when it changes.
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (batch.ingress[row] != attachment) [[unlikely]] {
            write();
            attachment = batch.ingress[row];
            packets = bytes = 0;
        }
        ++packets;
        bytes += batch.frames[row]->pkt_len;
        all_bytes += batch.frames[row]->pkt_len;
    }
    write();
    counters.ports[batch.port].rx_packets.add(batch.count);
    counters.ports[batch.port].rx_bytes.add(all_bytes);
    counters.books.received.add(batch.count);
}

}  // namespace bulkhead
