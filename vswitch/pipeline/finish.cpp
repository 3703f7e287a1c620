// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/finish.h"

#include <cstring>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "vswitch/packet/chain_checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/offload_headers.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/vlan.h"
#include "vswitch/pipeline/segment_tcp.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

/// An ability that no far side has.
constexpr std::uint32_t kNobodyCan = 1U << 31;

bool wants_sctp(const rte_mbuf* frame) noexcept {
    return (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM;
}

/// What of the far side's abilities the frame needs; 0 for a frame that is whole.
std::uint32_t needed_offloads(const rte_mbuf* frame) noexcept {
    std::uint32_t needed = frame->nb_segs > 1 ? kOffloadMultiSegment : 0U;
    if ((frame->ol_flags & kPendingWork) == 0) return needed;
    if ((frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0)
        needed |= (frame->ol_flags & RTE_MBUF_F_TX_IPV6) != 0 ? kOffloadTso6 : kOffloadTso4;
    if ((frame->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)) != 0) needed |= kOffloadL4Checksum;
    if ((frame->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) needed |= kOffloadIpv4Checksum;
    if (wants_sctp(frame)) needed |= kNobodyCan;  // its checksum is no sum, whatever the port contract's bits say
    return needed;
}

bool headers_are_sound(const rte_mbuf* frame) noexcept {
    if ((frame->ol_flags & kPendingWork) == 0) return true;
    if (wants_sctp(frame)) return false;
    const std::uint16_t l3 = frame->l3_len;
    const bool v6 = (frame->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
    if (frame->l2_len < kEthernetHeader || l3 < (v6 ? sizeof(rte_ipv6_hdr) : sizeof(rte_ipv4_hdr))) return false;
    return offload_header_length(frame) <= frame->pkt_len;
}

/// A frame that may be written to and whose headers lie in one piece: itself, or a copy that replaces it.
rte_mbuf* writable(rte_mbuf* frame, bool contiguous, rte_mempool* buffers) noexcept {
    if (is_writable(frame) && frame->data_len >= offload_header_length(frame) && (!contiguous || frame->nb_segs == 1))
        return frame;
    return rte_pktmbuf_copy(frame, buffers, 0, UINT32_MAX);
}

std::uint8_t* l3_header(rte_mbuf* frame) noexcept {
    return rte_pktmbuf_mtod_offset(frame, std::uint8_t*, frame->l2_len);
}

void checksum_ipv4_header(rte_mbuf* frame) noexcept {
    auto* ip = reinterpret_cast<rte_ipv4_hdr*>(l3_header(frame));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = static_cast<std::uint16_t>(~rte_raw_cksum(ip, frame->l3_len));
    frame->ol_flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
}

/// The field holds the pseudo-header's sum, so the sum over header and payload is the whole sum (RFC 1071, section 1).
bool checksum_l4(rte_mbuf* frame) noexcept {
    const bool udp = (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
    const std::uint32_t start = static_cast<std::uint32_t>(frame->l2_len) + frame->l3_len;
    std::uint16_t sum = 0;
    if (!chain_checksum(frame, start, frame->pkt_len - start, sum)) return false;
    sum = static_cast<std::uint16_t>(~sum);
    if (udp && sum == 0) sum = 0xffff;  // RFC 768: zero would mean no checksum
    const std::size_t field = start + (udp ? offsetof(rte_udp_hdr, dgram_cksum) : offsetof(rte_tcp_hdr, cksum));
    std::memcpy(rte_pktmbuf_mtod_offset(frame, std::uint8_t*, field), &sum, sizeof sum);
    frame->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
    return true;
}

DropReason complete(rte_mbuf*& frame, std::uint32_t offloads, rte_mempool* buffers) noexcept {
    const std::uint32_t missing = needed_offloads(frame) & ~offloads;
    if (missing == 0) return DropReason::none;
    rte_mbuf* own = writable(frame, (missing & kOffloadMultiSegment) != 0, buffers);
    if (own == nullptr) return DropReason::no_buffer;
    // A frame longer than one buffer can't be made contiguous; only a jumbo frame to a device without scatter meets
    // this.
    const bool scattered = (missing & kOffloadMultiSegment) != 0 && own->nb_segs > 1;
    if (scattered || ((missing & kOffloadL4Checksum) != 0 && !checksum_l4(own))) {
        if (own != frame) rte_pktmbuf_free(own);
        return scattered ? DropReason::tx_error : DropReason::bad_offload;
    }
    if ((missing & kOffloadIpv4Checksum) != 0) checksum_ipv4_header(own);
    if (own != frame) rte_pktmbuf_free(frame);
    frame = own;
    return DropReason::none;
}

void free_all(rte_mbuf** frames, std::uint16_t count) noexcept {
    for (std::uint16_t at = 0; at < count; ++at) rte_pktmbuf_free(frames[at]);
}

}  // namespace

bool fits(const rte_mbuf* frame, std::uint32_t offloads) noexcept {
    return (needed_offloads(frame) & ~offloads) == 0;
}

Finished finish(rte_mbuf* frame, std::uint32_t offloads, rte_mempool* buffers, rte_mbuf** out) noexcept {
    if (!headers_are_sound(frame)) return {0, DropReason::bad_offload};
    const bool segments = (needed_offloads(frame) & ~offloads & (kOffloadTso4 | kOffloadTso6)) != 0;
    if (!segments) {
        rte_mbuf* finished = frame;
        const DropReason reason = complete(finished, offloads, buffers);
        out[0] = finished;
        return {static_cast<std::uint16_t>(reason == DropReason::none ? 1 : 0), reason};
    }
    const Finished made = segment_tcp(frame, buffers, out);
    for (std::uint16_t at = 0; at < made.count; ++at) {
        const DropReason reason = complete(out[at], offloads, buffers);
        if (reason == DropReason::none) continue;
        free_all(out, made.count);
        return {0, reason};
    }
    if (made.count > 0) rte_pktmbuf_free(frame);
    return made;
}

}  // namespace bulkhead
