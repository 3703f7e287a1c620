// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/host_share.h"

#include <rte_mbuf.h>

#include "vswitch/packet/arp.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

HostShare unless_ours(const UnderlayEntry& underlay, const IpAddress& address) noexcept {
    return underlay.has_address(address) ? HostShare::none : HostShare::alone;
}

/// RFC 826.
HostShare share_of_arp(const std::uint8_t* message, std::uint32_t length, const UnderlayEntry& underlay) noexcept {
    constexpr std::uint32_t kOperation = 6, kTargetIp = 24, kLength = 28;
    if (length < kLength) return HostShare::alone;
    if (load_big_endian<std::uint16_t>(message + kOperation) == kArpReply) return HostShare::copy;
    return unless_ours(underlay, IpAddress::from_v4(message + kTargetIp));
}

HostShare share_of_icmpv6(const std::uint8_t* packet, std::uint32_t length, const UnderlayEntry& underlay) noexcept {
    if (length > kIpv6Header && packet[kIpv6Header] == kIcmpv6NeighborAdvertisement) return HostShare::copy;
    return unless_ours(underlay, IpAddress::from_v6(packet + 24));
}

/// Of what is for whoever speaks for this node, to which the bounds of the IP header are known.
HostShare share_of_node(const rte_mbuf* frame, const UnderlayEntry& underlay) noexcept {
    const auto* data = rte_pktmbuf_mtod(frame, const std::uint8_t*);
    std::uint32_t payload = kEthernetHeader;
    auto type = load_big_endian<std::uint16_t>(data + kMacPair);
    if (type == kEtherTypeVlan) {
        type = load_big_endian<std::uint16_t>(data + kMacPair + kVlanTag);
        payload += kVlanTag;
    }
    const std::uint8_t* const packet = data + payload;
    const std::uint32_t length = frame->data_len - payload;
    const bool is_to_group = is_multicast(load_big_endian<std::uint64_t>(data) >> 16);
    if (type == kEtherTypeArp) return is_to_group ? HostShare::copy : share_of_arp(packet, length, underlay);
    const std::uint8_t protocol = type == kEtherTypeIpv4 ? packet[9] : packet[6];
    if (protocol == kProtocolUdp) return HostShare::none;  // a tunnel's keepalive
    if (is_to_group) return HostShare::copy;
    return type == kEtherTypeIpv4 ? unless_ours(underlay, IpAddress::from_v4(packet + 16))
                                  : share_of_icmpv6(packet, length, underlay);
}

}  // namespace

HostShare host_share(const rte_mbuf* frame, const UnderlayEntry& underlay, const Outer& outer) noexcept {
    if (outer.kind == Outer::Kind::for_node) return share_of_node(frame, underlay);
    if (outer.kind != Outer::Kind::dropped || outer.reason != DropReason::not_for_us) return HostShare::none;
    const std::uint64_t destination =
        load_big_endian<std::uint64_t>(rte_pktmbuf_mtod(frame, const std::uint8_t*)) >> 16;
    // A NIC may be promiscuous, and what others say to each other is nobody's business here.
    return destination == underlay.mac || is_multicast(destination) ? HostShare::alone : HostShare::none;
}

}  // namespace bulkhead
