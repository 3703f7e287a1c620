// SPDX-License-Identifier: Apache-2.0
#include "vhost/private_headers.h"

#include <cstdint>
#include <cstring>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "vswitch/packet/vlan.h"

namespace bulkhead::vhost {
namespace {

constexpr std::uint64_t kWriters = RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IP_CKSUM;

std::uint16_t private_length(const rte_mbuf& frame) noexcept {
    return static_cast<std::uint16_t>(frame.l2_len + frame.l3_len);
}

void move_start(rte_mbuf& segment, int bytes) noexcept {
    segment.data_off = static_cast<std::uint16_t>(segment.data_off + bytes);
    segment.data_len = static_cast<std::uint16_t>(segment.data_len - bytes);
}

}  // namespace

bool needs_private_headers(const rte_mbuf& frame) noexcept {
    if ((frame.ol_flags & kWriters) == 0) return false;
    const bool ipv6_extensions = (frame.ol_flags & RTE_MBUF_F_TX_IPV6) != 0 && frame.l3_len != sizeof(rte_ipv6_hdr);
    return (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 || ipv6_extensions || !is_writable(&frame);
}

bool can_have_private_headers(const rte_mbuf& frame) noexcept {
    return private_length(frame) <= frame.data_len;
}

rte_mbuf* with_private_headers(rte_mbuf* frame, rte_mempool* buffers) noexcept {
    const std::uint16_t length = private_length(*frame);
    rte_mbuf* head = rte_pktmbuf_alloc(buffers);
    if (head == nullptr) return nullptr;

    rte_mbuf* rest = frame;
    if (!is_writable(frame)) {
        rest = rte_pktmbuf_clone(frame, buffers);
        if (rest == nullptr) {
            rte_pktmbuf_free(head);
            return nullptr;
        }
    }
    std::memcpy(rte_pktmbuf_append(head, length), rte_pktmbuf_mtod(frame, const void*), length);
    head->ol_flags = frame->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK;
    head->tx_offload = frame->tx_offload;
    if (head->l4_len == 0) head->l4_len = 1;  // anything beyond the first segment makes librte_vhost keep off
    move_start(*rest, length);
    // Not rte_pktmbuf_chain(): it forgets the frame's own pkt_len, which restore_undelivered() counts on.
    head->next = rest;
    head->nb_segs = static_cast<std::uint16_t>(rest->nb_segs + 1);
    head->pkt_len = frame->pkt_len;
    return head;
}

void release_delivered(rte_mbuf* chain, rte_mbuf* frame) noexcept {
    const bool cloned = chain->next != frame;
    rte_pktmbuf_free(chain);
    if (cloned) rte_pktmbuf_free(frame);
}

void restore_undelivered(rte_mbuf* chain, rte_mbuf* frame) noexcept {
    if (chain->next == frame) {
        move_start(*frame, -static_cast<int>(chain->data_len));
        chain->next = nullptr;
        chain->nb_segs = 1;
    }
    rte_pktmbuf_free(chain);
}

}  // namespace bulkhead::vhost
