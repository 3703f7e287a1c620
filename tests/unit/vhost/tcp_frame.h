// SPDX-License-Identifier: Apache-2.0
// TCP frames as a driver with checksum offload leaves them: the checksum field holds the pseudo-header sum.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "tests/unit/vhost/fake_guest.h"

namespace bulkhead::test {

inline constexpr std::size_t kTcp4Headers = 14 + 20 + 20;
inline constexpr std::size_t kTcp6Headers = 14 + 40 + 20;

template <typename Header>
Header* header_at(Frame& frame, std::size_t offset) {
    return reinterpret_cast<Header*>(frame.data() + offset);
}

/// `tag`: behind one VLAN tag of 802.1Q.
inline Frame tcp4_frame(std::size_t payload, bool tag = false) {
    const std::size_t l2 = tag ? 18 : 14;
    Frame frame(l2 + 40 + payload, 0x5a);
    std::memset(frame.data(), 2, 12);
    const std::uint8_t types[] = {0x81, 0x00, 0x00, 0x07, 0x08, 0x00};
    std::memcpy(frame.data() + 12, tag ? types : types + 4, tag ? 6 : 2);
    auto* ip = header_at<rte_ipv4_hdr>(frame, l2);
    *ip = {};
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(40 + payload));
    ip->time_to_live = 64;
    ip->next_proto_id = IPPROTO_TCP;
    ip->src_addr = rte_cpu_to_be_32(0x0a010001);
    ip->dst_addr = rte_cpu_to_be_32(0x0a010002);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    auto* tcp = header_at<rte_tcp_hdr>(frame, l2 + 20);
    *tcp = {};
    tcp->data_off = 5 << 4;
    tcp->cksum = rte_ipv4_phdr_cksum(ip, 0);
    return frame;
}

inline Frame tcp6_frame(std::size_t payload) {
    Frame frame(kTcp6Headers + payload, 0x5a);
    std::memset(frame.data(), 2, 12);
    frame[12] = 0x86;
    frame[13] = 0xdd;
    auto* ip = header_at<rte_ipv6_hdr>(frame, 14);
    *ip = {};
    ip->vtc_flow = rte_cpu_to_be_32(6U << 28);
    ip->payload_len = rte_cpu_to_be_16(static_cast<std::uint16_t>(20 + payload));
    ip->proto = IPPROTO_TCP;
    ip->src_addr[15] = 1;
    ip->dst_addr[15] = 2;
    auto* tcp = header_at<rte_tcp_hdr>(frame, 54);
    *tcp = {};
    tcp->data_off = 5 << 4;
    tcp->cksum = rte_ipv6_phdr_cksum(ip, 0);
    return frame;
}

/// What a driver writes for a checksum, or for segmentation too when `segment` is not 0.
inline NetHeader request(std::uint16_t l4_start, std::uint16_t segment = 0, std::uint8_t gso_type = kGsoTcp4) {
    NetHeader header{.flags = kNeedsChecksum};
    header.csum_start = l4_start;
    header.csum_offset = 16;
    if (segment != 0) {
        header.gso_type = gso_type;
        header.gso_size = segment;
        header.hdr_len = static_cast<std::uint16_t>(l4_start + 20);
    }
    return header;
}

}  // namespace bulkhead::test
