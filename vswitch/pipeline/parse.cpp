// SPDX-License-Identifier: Apache-2.0
#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

void parse(Batch& batch) noexcept {
    constexpr std::uint16_t kPrefetch = 4;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (row + kPrefetch < batch.count) rte_prefetch0(rte_pktmbuf_mtod(batch.frames[row + kPrefetch], const void*));
        const rte_mbuf* frame = batch.frames[row];
        batch.verdict[row] = DropReason::none;
        batch.ingress[row] = kNoAttachment;
        if (frame->data_len < kEthernetHeader) [[unlikely]] {
            batch.drop(row, DropReason::truncated);
            continue;
        }
        const auto* data = rte_pktmbuf_mtod(frame, const std::uint8_t*);
        // Eight octets each: the upper six are the address; those of the second load end in the EtherType.
        const auto destination = load_big_endian<std::uint64_t>(data) >> 16;
        const auto source_and_type = load_big_endian<std::uint64_t>(data + 6);
        const std::uint64_t source = source_and_type >> 16;
        batch.destination[row] = destination;
        batch.source[row] = source;
        batch.ethertype[row] = static_cast<std::uint16_t>(source_and_type);
        if (is_multicast(source) || source == 0) [[unlikely]]
            batch.drop(row, DropReason::source_invalid);
        if (is_reserved_multicast(destination)) [[unlikely]]
            batch.drop(row, DropReason::reserved_multicast);
    }
}

}  // namespace bulkhead
