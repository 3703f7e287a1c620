// SPDX-License-Identifier: Apache-2.0
// Makes the checksums of a fuzzed frame right, which no mutation would guess.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

/// Of untagged and tagged IPv4 and ICMPv6, as far as the lengths allow.
inline void fix_checksums(std::vector<std::uint8_t>& frame) {
    if (frame.size() < kEthernetHeader + kVlanTag) return;
    std::size_t at = kMacPair;
    if (load_big_endian<std::uint16_t>(&frame[at]) == kEtherTypeVlan) at += kVlanTag;
    const auto type = load_big_endian<std::uint16_t>(&frame[at]);
    const std::span<std::uint8_t> packet = std::span(frame).subspan(at + 2);
    if (type == kEtherTypeIpv4 && packet.size() >= sizeof(Ipv4Header)) {
        const std::size_t header = 4UL * (packet[0] & 15);
        const std::size_t total = load_big_endian<std::uint16_t>(&packet[2]);
        if (header < sizeof(Ipv4Header) || header > packet.size()) return;
        store_big_endian16(&packet[10], 0);
        store_big_endian16(&packet[10], internet_checksum(packet.first(header)));
        if (total < header + 4 || total > packet.size()) return;
        store_big_endian16(&packet[header + 2], 0);
        store_big_endian16(&packet[header + 2], internet_checksum(packet.subspan(header, total - header)));
    }
    if (type == kEtherTypeIpv6 && packet.size() >= sizeof(Ipv6Header)) {
        const std::size_t length = load_big_endian<std::uint16_t>(&packet[4]);
        if (length < 4 || length > packet.size() - sizeof(Ipv6Header)) return;
        const std::span<std::uint8_t> message = packet.subspan(sizeof(Ipv6Header), length);
        store_big_endian16(&message[2], 0);
        store_big_endian16(&message[2],
                           icmpv6_checksum(IpAddress::from_v6(&packet[8]), IpAddress::from_v6(&packet[24]), message));
    }
}

}  // namespace bulkhead
