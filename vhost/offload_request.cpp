// SPDX-License-Identifier: Apache-2.0
#include "vhost/offload_request.h"

#include <cstdint>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "vswitch/port_io.h"

namespace bulkhead::vhost {
namespace {

constexpr std::uint64_t kWork = RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG;

std::uint32_t l4_header_size(std::uint64_t l4_flag) noexcept {
    return l4_flag == RTE_MBUF_F_TX_UDP_CKSUM ? sizeof(rte_udp_hdr) : sizeof(rte_tcp_hdr);
}

/// Bytes of the frame by its IP header's own account, which a segmenter would rewrite.
std::uint32_t length_by_ip(const rte_mbuf& frame) noexcept {
    if ((frame.ol_flags & RTE_MBUF_F_TX_IPV4) != 0) {
        const auto* ip = rte_pktmbuf_mtod_offset(&frame, const rte_ipv4_hdr*, frame.l2_len);
        return static_cast<std::uint32_t>(frame.l2_len + rte_be_to_cpu_16(ip->total_length));
    }
    const auto* ip = rte_pktmbuf_mtod_offset(&frame, const rte_ipv6_hdr*, frame.l2_len);
    return static_cast<std::uint32_t>(frame.l2_len + sizeof(rte_ipv6_hdr) + rte_be_to_cpu_16(ip->payload_len));
}

}  // namespace

bool accept_offload_request(rte_mbuf& frame) noexcept {
    const std::uint64_t work = frame.ol_flags & kWork;
    if (work == 0) {
        frame.ol_flags &= ~(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
        frame.tx_offload = 0;
        return true;
    }
    const bool ipv4 = (frame.ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
    const bool ipv6 = (frame.ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
    const std::uint64_t l4_flag = work & RTE_MBUF_F_TX_L4_MASK;
    if (ipv4 == ipv6 || l4_flag == 0 || (work & RTE_MBUF_F_TX_UDP_SEG) != 0) return false;
    // What virtio asks for is a ones' complement sum (virtio 1.1, section 5.1.6.2); SCTP has a CRC (RFC 9260, 6.8).
    if (l4_flag == RTE_MBUF_F_TX_SCTP_CKSUM) return false;
    const std::size_t smallest_l3 = ipv4 ? sizeof(rte_ipv4_hdr) : sizeof(rte_ipv6_hdr);
    if (frame.l2_len < RTE_ETHER_HDR_LEN || frame.l3_len < smallest_l3) return false;
    const auto l4_start = static_cast<std::uint32_t>(frame.l2_len + frame.l3_len);
    if (l4_start + l4_header_size(l4_flag) > frame.data_len) return false;
    if ((work & RTE_MBUF_F_TX_TCP_SEG) == 0) return true;

    // virtio 1.1, section 5.1.6.2.1: segmentation comes with NEEDS_CSUM.
    const auto headers = static_cast<std::uint32_t>(l4_start + frame.l4_len);
    return l4_flag == RTE_MBUF_F_TX_TCP_CKSUM && frame.tso_segsz >= kMinSegmentBytes &&
           frame.l4_len >= sizeof(rte_tcp_hdr) && headers <= frame.data_len && headers < frame.pkt_len &&
           length_by_ip(frame) == frame.pkt_len;
}

}  // namespace bulkhead::vhost
