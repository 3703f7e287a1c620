// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/vlan.h"

#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

constexpr std::uint64_t kOffloadFlags = RTE_MBUF_F_TX_OFFLOAD_MASK;

bool has_offload_lengths(const rte_mbuf* frame) noexcept {
    return (frame->ol_flags & kOffloadFlags) != 0;
}

/// `header` bytes of the frame in a new mbuf, the rest shared behind it.
rte_mbuf* with_own_header(rte_mbuf* frame, std::uint16_t header, rte_mempool* buffers) noexcept {
    rte_mbuf* front = rte_pktmbuf_alloc(buffers);
    if (front == nullptr) return nullptr;
    rte_mbuf* rest = rte_pktmbuf_clone(frame, buffers);
    if (rest == nullptr) {
        rte_pktmbuf_free(front);
        return nullptr;
    }
    std::memcpy(rte_pktmbuf_append(front, header), rte_pktmbuf_mtod(frame, const void*), header);
    rte_pktmbuf_adj(rest, header);
    front->ol_flags = frame->ol_flags & kOffloadFlags;
    front->tx_offload = frame->tx_offload;
    front->tso_segsz = frame->tso_segsz;
    front->next = rest;
    front->nb_segs = static_cast<std::uint16_t>(rest->nb_segs + 1);
    front->pkt_len = header + rest->pkt_len;
    return front;
}

}  // namespace

bool is_writable(const rte_mbuf* frame) noexcept {
    return RTE_MBUF_DIRECT(frame) && rte_mbuf_refcnt_read(frame) == 1;
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
    rte_mbuf* copy = with_own_header(frame, kMacPair, buffers);
    if (copy == nullptr) return nullptr;
    // rte_pktmbuf_append() would extend the last segment; the tag goes to the end of the first.
    auto* tag = rte_pktmbuf_mtod_offset(copy, std::uint8_t*, kMacPair);
    store_big_endian16(tag, kEtherTypeVlan);
    store_big_endian16(tag + 2, tci);
    copy->data_len = static_cast<std::uint16_t>(copy->data_len + kVlanTag);
    copy->pkt_len += kVlanTag;
    if (has_offload_lengths(copy)) copy->l2_len = (copy->l2_len + kVlanTag) & 0x7f;
    return copy;
}

}  // namespace bulkhead
