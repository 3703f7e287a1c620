// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/vlan.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/offload_headers.h"

namespace bulkhead {
namespace {

constexpr std::uint64_t kOffloadFlags = RTE_MBUF_F_TX_OFFLOAD_MASK;

bool has_offload_lengths(const rte_mbuf* frame) noexcept {
    return (frame->ol_flags & kOffloadFlags) != 0;
}

/// How much of the frame goes into a header of its own: the addresses, and where work is pending all headers it speaks
/// of, because who does it wants them in the first buffer, to be changed.
std::uint16_t own_header_length(const rte_mbuf* frame) noexcept {
    const std::uint16_t wanted = has_offload_lengths(frame) ? offload_header_length(frame) : kMacPair;
    return std::clamp(wanted, kMacPair, frame->data_len);
}

/// The frame without its first `header` bytes, sharing its buffers; null without buffers. Not for a frame that ends
/// there.
rte_mbuf* share_behind(rte_mbuf* frame, std::uint16_t header, rte_mempool* buffers) noexcept {
    const bool buffer_ends = header == frame->data_len;
    rte_mbuf* rest = rte_pktmbuf_clone(buffer_ends ? frame->next : frame, buffers);
    if (rest != nullptr && !buffer_ends) rte_pktmbuf_adj(rest, header);
    return rest;
}

}  // namespace

bool is_writable(const rte_mbuf* frame) noexcept {
    return RTE_MBUF_DIRECT(frame) && rte_mbuf_refcnt_read(frame) == 1;
}

bool make_writable(rte_mbuf*& frame, rte_mempool* buffers) noexcept {
    if (is_writable(frame)) [[likely]]
        return true;
    rte_mbuf* copy = rte_pktmbuf_copy(frame, buffers, 0, UINT32_MAX);
    if (copy == nullptr) return false;
    rte_pktmbuf_free(frame);
    frame = copy;
    return true;
}

void pop_vlan(rte_mbuf* frame) noexcept {
    auto* data = rte_pktmbuf_mtod(frame, std::uint8_t*);
    std::memmove(data + kVlanTag, data, kMacPair);
    rte_pktmbuf_adj(frame, kVlanTag);
    if (has_offload_lengths(frame)) frame->l2_len = (frame->l2_len - kVlanTag) & 0x7f;
}

bool push_vlan(rte_mbuf* frame, std::uint16_t tci) noexcept {
    if (!is_writable(frame)) return false;
    auto* data = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_prepend(frame, kVlanTag));
    if (data == nullptr) return false;
    std::memmove(data, data + kVlanTag, kMacPair);
    store_big_endian16(data + kMacPair, kEtherTypeVlan);
    store_big_endian16(data + kMacPair + 2, tci);
    if (has_offload_lengths(frame)) frame->l2_len = (frame->l2_len + kVlanTag) & 0x7f;
    return true;
}

rte_mbuf* tagged_copy(rte_mbuf* frame, std::uint16_t tci, rte_mempool* buffers) noexcept {
    const std::uint16_t header = own_header_length(frame);
    rte_mbuf* front = rte_pktmbuf_alloc(buffers);
    if (front == nullptr) return nullptr;
    rte_mbuf* rest = nullptr;
    if (header < frame->pkt_len) {
        rest = share_behind(frame, header, buffers);
        if (rest == nullptr) {
            rte_pktmbuf_free(front);
            return nullptr;
        }
    }
    const auto* from = rte_pktmbuf_mtod(frame, const std::uint8_t*);
    auto* to =
        reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(front, static_cast<std::uint16_t>(header + kVlanTag)));
    std::memcpy(to, from, kMacPair);
    store_big_endian16(to + kMacPair, kEtherTypeVlan);
    store_big_endian16(to + kMacPair + 2, tci);
    std::memcpy(to + kMacPair + kVlanTag, from + kMacPair, header - kMacPair);
    front->ol_flags = frame->ol_flags & kOffloadFlags;
    front->tx_offload = frame->tx_offload;
    if (has_offload_lengths(front)) front->l2_len = (front->l2_len + kVlanTag) & 0x7f;
    front->next = rest;
    front->nb_segs = static_cast<std::uint16_t>(1 + (rest == nullptr ? 0 : rest->nb_segs));
    front->pkt_len = frame->pkt_len + kVlanTag;
    return front;
}

}  // namespace bulkhead
