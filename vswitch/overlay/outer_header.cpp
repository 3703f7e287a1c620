// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/outer_header.h"

#include <algorithm>

#include "vswitch/overlay/sender_group.h"

namespace bulkhead {
namespace {

constexpr std::uint8_t kVersion4 = 0x45;          ///< with a header of five words
constexpr std::uint16_t kDoNotFragment = 0x4000;  ///< so that the identification may be zero (RFC 6864, section 4.1)

std::uint8_t* put_ethernet(std::uint8_t* at, const OuterHeader::Ends& ends, bool is_v4) {
    std::ranges::copy(ends.source.octets(), at + 6);
    at += kMacPair;
    if (ends.vlan) {
        store_big_endian16(at, kEtherTypeVlan);
        store_big_endian16(at + 2, *ends.vlan);
        at += kVlanTag;
    }
    store_big_endian16(at, is_v4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
    return at + 2;
}

std::uint8_t* put_ip(std::uint8_t* at, const Tunnel& tunnel, const OuterHeader::Ends& ends) {
    if (ends.remote.is_v4()) {
        at[0] = kVersion4;
        store_big_endian16(at + 6, kDoNotFragment);
        at[8] = tunnel.ttl;
        at[9] = kProtocolUdp;
        std::copy_n(ends.local.v4_octets(), 4, at + 12);
        std::copy_n(ends.remote.v4_octets(), 4, at + 16);
        return at + kIpv4Header;
    }
    at[6] = kProtocolUdp;
    at[7] = tunnel.ttl;
    std::ranges::copy(ends.local.octets(), at + 8);
    std::ranges::copy(ends.remote.octets(), at + 24);
    return at + kIpv6Header;
}

}  // namespace

OuterHeader OuterHeader::build(const Tunnel& tunnel, const Ends& ends) {
    OuterHeader header;
    header.is_v4 = ends.remote.is_v4();
    header.length = static_cast<std::uint16_t>(kEthernetHeader + (ends.vlan ? kVlanTag : 0) +
                                               (header.is_v4 ? kIpv4Header : kIpv6Header) + kUdpHeader + kShimHeader);
    std::uint8_t* const ip = put_ethernet(header.octets.data() + kRoom - header.length, ends, header.is_v4);
    std::uint8_t* const udp = put_ip(ip, tunnel, ends);
    store_big_endian16(udp + 2, tunnel.dst_port);
    std::uint8_t* const shim = udp + kUdpHeader;
    if (tunnel.type == TunnelType::vxlan)
        shim[0] = kVxlanFlags;
    else
        store_big_endian16(shim + 2, kTransEthernet);
    if (group_field_of(tunnel) == GroupField::geneve) shim[0] = kGroupOption / kOptionWord;
    if (header.is_v4)
        for (std::uint16_t at = 0; at < kIpv4Header; at += 2)
            header.ipv4_sum += load_big_endian<std::uint16_t>(ip + at);
    return header;
}

}  // namespace bulkhead
