// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/chain_checksum.h"

#include <algorithm>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

namespace bulkhead {

bool chain_checksum(const rte_mbuf* frame, std::uint32_t offset, std::uint32_t length, std::uint16_t& sum) noexcept {
    if (frame->pkt_len < offset || frame->pkt_len - offset < length) return false;
    while (frame != nullptr && offset > frame->data_len) {
        offset -= frame->data_len;
        frame = frame->next;
    }
    std::uint32_t total = 0;  // of a word a buffer, of which a frame has less than 64 Ki
    bool is_odd = false;
    for (; frame != nullptr && length != 0; frame = frame->next) {
        const std::uint32_t part = std::min<std::uint32_t>(length, frame->data_len - offset);
        const std::uint16_t words = rte_raw_cksum(rte_pktmbuf_mtod_offset(frame, const void*, offset), part);
        total += is_odd ? rte_bswap16(words) : words;
        is_odd ^= (part & 1) != 0;
        length -= part;
        offset = 0;
    }
    total = (total & 0xffff) + (total >> 16);
    sum = static_cast<std::uint16_t>((total & 0xffff) + (total >> 16));
    return length == 0;
}

}  // namespace bulkhead
