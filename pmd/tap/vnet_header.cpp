// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/vnet_header.h"

#include <bit>
#include <cstring>
#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "pmd/tap/frame_layers.h"
#include "vswitch/packet/chain_checksum.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

static_assert(std::endian::native == std::endian::little, "the header is little-endian");

constexpr std::uint16_t kTcpChecksumOffset = offsetof(rte_tcp_hdr, cksum);
constexpr std::uint16_t kUdpChecksumOffset = offsetof(rte_udp_hdr, dgram_cksum);

/// A TCP or UDP datagram whose checksum field is where the header says.
struct L4Request {
    FrameLayers layers;
    std::uint16_t l4_len = 0;
};

std::uint32_t l4_begin(const FrameLayers& layers) noexcept {
    return std::uint32_t{layers.l2_len} + layers.l3_len;
}

bool checksum_field_inside(const VnetHeader& header, const rte_mbuf& frame) noexcept {
    return header.csum_start >= sizeof(rte_ether_hdr) &&
           std::uint32_t{header.csum_start} + header.csum_offset + sizeof(std::uint16_t) <= frame.data_len;
}

std::optional<L4Request> match_l4(const VnetHeader& header, const rte_mbuf& frame) noexcept {
    const auto layers = find_layers(frame);
    if (!layers || l4_begin(*layers) != header.csum_start) return std::nullopt;
    // A device computes the checksum over what the IP header claims. (No jumbograms: those claim 0.)
    if (layers->l3_bytes < layers->l3_len || layers->l2_len + layers->l3_bytes > frame.pkt_len) return std::nullopt;
    const std::uint32_t l4_bytes = layers->l3_bytes - layers->l3_len;
    if (layers->protocol == IPPROTO_UDP && header.csum_offset == kUdpChecksumOffset &&
        l4_bytes >= sizeof(rte_udp_hdr)) {
        return L4Request{*layers, sizeof(rte_udp_hdr)};
    }
    if (layers->protocol == IPPROTO_TCP && header.csum_offset == kTcpChecksumOffset) {
        const auto* tcp = rte_pktmbuf_mtod_offset(&frame, const rte_tcp_hdr*, header.csum_start);
        const auto length = static_cast<std::uint16_t>((tcp->data_off >> 4) * 4);  // inside: cksum lies behind data_off
        const bool inside = length <= l4_bytes && std::uint32_t{header.csum_start} + length <= frame.data_len;
        if (length < sizeof(rte_tcp_hdr) || !inside) return std::nullopt;
        return L4Request{*layers, length};
    }
    return std::nullopt;
}

void request(rte_mbuf& frame, const L4Request& l4, std::uint64_t flags) noexcept {
    frame.l2_len = l4.layers.l2_len & 0x7f;
    frame.l3_len = l4.layers.l3_len & 0x1ff;
    frame.l4_len = l4.l4_len & 0xff;
    frame.ol_flags |= flags | (l4.layers.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
}

bool lengths_expressible(const L4Request& l4) noexcept {
    return l4.layers.l3_len < (1U << RTE_MBUF_L3_LEN_BITS);
}

bool apply_segmentation(const VnetHeader& header, rte_mbuf& frame) noexcept {
    const auto type = header.gso_type & ~VnetHeader::gso_ecn;
    if (type != VnetHeader::gso_tcp4 && type != VnetHeader::gso_tcp6) return false;
    if (header.gso_size < kMinSegmentBytes) return false;
    const auto l4 = match_l4(header, frame);
    if (!l4 || l4->layers.protocol != IPPROTO_TCP || !lengths_expressible(*l4)) return false;
    if (l4->layers.ipv6 != (type == VnetHeader::gso_tcp6)) return false;
    if (l4_begin(l4->layers) + l4->l4_len >= frame.pkt_len) return false;  // no payload: nothing to cut
    request(frame, *l4, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM);
    frame.tso_segsz = header.gso_size;
    return true;
}

/// The checksum of the rest of the frame from csum_start on, whatever protocol that is (RFC 1071).
void finish_checksum(const VnetHeader& header, rte_mbuf& frame) noexcept {
    std::uint16_t sum = 0;
    if (!chain_checksum(&frame, header.csum_start, frame.pkt_len - header.csum_start, sum)) return;
    sum = static_cast<std::uint16_t>(~sum);
    if (sum == 0) sum = 0xffff;  // RFC 768: zero says "no checksum"; elsewhere both mean zero
    std::memcpy(rte_pktmbuf_mtod_offset(&frame, char*, header.csum_start + header.csum_offset), &sum, sizeof(sum));
}

bool has_cwr(const rte_mbuf& frame) noexcept {
    const auto tcp = static_cast<std::uint32_t>(frame.l2_len + frame.l3_len);
    if (tcp + sizeof(rte_tcp_hdr) > frame.data_len) return false;
    return (rte_pktmbuf_mtod_offset(&frame, const rte_tcp_hdr*, tcp)->tcp_flags & RTE_TCP_CWR_FLAG) != 0;
}

}  // namespace

bool apply_vnet_header(const VnetHeader& header, rte_mbuf& frame) noexcept {
    const bool needs_checksum = (header.flags & VnetHeader::needs_csum) != 0;
    const bool needs_segmentation = header.gso_type != VnetHeader::gso_none;
    if (!needs_checksum) return !needs_segmentation;
    if (!checksum_field_inside(header, frame)) return false;
    if (needs_segmentation) return apply_segmentation(header, frame);
    const auto l4 = match_l4(header, frame);
    if (!l4 || !lengths_expressible(*l4)) {
        finish_checksum(header, frame);
        return true;
    }
    request(frame, *l4, l4->layers.protocol == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
    return true;
}

VnetHeader build_vnet_header(const rte_mbuf& frame) noexcept {
    VnetHeader header{};
    const bool segment = (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
    const auto checksum = frame.ol_flags & RTE_MBUF_F_TX_L4_MASK;
    if (segment || checksum == RTE_MBUF_F_TX_TCP_CKSUM) {
        header.csum_offset = kTcpChecksumOffset;
    } else if (checksum == RTE_MBUF_F_TX_UDP_CKSUM) {
        header.csum_offset = kUdpChecksumOffset;
    } else {
        return header;
    }
    header.flags = VnetHeader::needs_csum;
    header.csum_start = static_cast<std::uint16_t>(frame.l2_len + frame.l3_len);
    if (segment) {
        const bool ipv6 = (frame.ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
        header.gso_type = ipv6 ? VnetHeader::gso_tcp6 : VnetHeader::gso_tcp4;
        // RFC 3168, section 6.1.2: CWR belongs to the first segment alone, so the far side must know.
        if (has_cwr(frame)) header.gso_type |= VnetHeader::gso_ecn;
        header.gso_size = frame.tso_segsz;
        header.hdr_len = static_cast<std::uint16_t>(header.csum_start + frame.l4_len);
    }
    return header;
}

std::size_t finish_ipv4_header(const rte_mbuf& frame, unsigned char (&copy)[kMaxFinishedHeaders]) noexcept {
    if ((frame.ol_flags & RTE_MBUF_F_TX_IP_CKSUM) == 0) return 0;
    const std::size_t size = std::size_t{frame.l2_len} + frame.l3_len;
    if (size > sizeof(copy) || size > frame.data_len || frame.l3_len < sizeof(rte_ipv4_hdr)) return 0;
    std::memcpy(copy, rte_pktmbuf_mtod(&frame, const void*), size);
    auto* const header = reinterpret_cast<rte_ipv4_hdr*>(copy + frame.l2_len);
    header->hdr_checksum = 0;
    header->hdr_checksum = static_cast<std::uint16_t>(~rte_raw_cksum(header, frame.l3_len));
    return size;
}

}  // namespace bulkhead
