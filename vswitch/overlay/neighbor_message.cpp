// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/neighbor_message.h"

#include <algorithm>

#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

constexpr IpAddress kAllNodes({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
constexpr std::size_t kSolicitedNodePrefix = 13;

/// The first link-layer address of `type`. False: an option is broken, and so is the packet.
bool find_mac(std::span<const std::uint8_t> options, std::uint8_t type, std::optional<MacAddress>& mac) {
    while (!options.empty()) {
        if (options.size() < 2 || options[1] == 0) return false;
        const std::size_t length = static_cast<std::size_t>(options[1]) * kNdOptionUnit;
        if (length > options.size()) return false;
        if (options[0] == type && !mac) {
            const auto option = read_header<NdMacOption>(options.first(length));
            if (!option || option->units != 1) return false;
            mac = MacAddress::from_octets(option->mac.data());
            if (mac->is_multicast() || mac->is_zero()) return false;
        }
        options = options.subspan(length);
    }
    return true;
}

bool is_solicited_node(const IpAddress& address) {
    const IpAddress any = solicited_node(address);
    return std::equal(any.octets().begin(), any.octets().begin() + kSolicitedNodePrefix, address.octets().begin());
}

bool is_valid(const NeighborMessage& message) {
    if (message.target.is_multicast() || message.target.is_v4() || message.source.is_multicast()) return false;
    if (message.is_solicitation)
        return !message.source.is_unspecified() || (is_solicited_node(message.destination) && !message.mac);
    return !message.source.is_unspecified() && !(message.destination.is_multicast() && message.solicited);
}

}  // namespace

IpAddress all_nodes() {
    return kAllNodes;
}

IpAddress solicited_node(const IpAddress& address) {
    IpAddress::Octets octets = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    std::copy(address.octets().begin() + kSolicitedNodePrefix, address.octets().end(),
              octets.begin() + kSolicitedNodePrefix);
    return IpAddress(octets);
}

MacAddress ipv6_multicast_mac(const IpAddress& group) {
    return MacAddress(0x3333'0000'0000ULL | group.v4_value());
}

IpPrefix link_local_of(const MacAddress& mac) {
    const auto from = mac.octets();
    return {IpAddress({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(from[0] ^ 2), from[1], from[2], 0xff,
                       0xfe, from[3], from[4], from[5]}),
            64};
}

std::optional<NeighborMessage> parse_neighbor_message(const IpPacket& packet) {
    const auto header = read_header<NeighborMessageHeader>(packet.payload);
    if (!header || packet.hop_limit != kNeighborHopLimit || header->icmp.code != 0) return std::nullopt;
    if (icmpv6_checksum(packet.source, packet.destination, packet.payload) != 0) return std::nullopt;
    NeighborMessage message{.is_solicitation = header->icmp.type == kIcmpv6NeighborSolicitation,
                            .source = packet.source,
                            .destination = packet.destination,
                            .target = IpAddress(header->target)};
    if (!message.is_solicitation) {
        message.solicited = (header->flags.value() & kNeighborSolicited) != 0;
        message.overrides = (header->flags.value() & kNeighborOverride) != 0;
    }
    const std::uint8_t option = message.is_solicitation ? kNdOptionSourceMac : kNdOptionTargetMac;
    if (!find_mac(packet.payload.subspan(sizeof *header), option, message.mac) || !is_valid(message))
        return std::nullopt;
    return message;
}

std::vector<std::uint8_t> build_neighbor_message(const NeighborMessage& message) {
    NeighborMessageHeader header;
    header.icmp.type = message.is_solicitation ? kIcmpv6NeighborSolicitation : kIcmpv6NeighborAdvertisement;
    header.flags = (message.solicited ? kNeighborSolicited : 0) | (message.overrides ? kNeighborOverride : 0);
    header.target = message.target.octets();
    const auto fixed = header_octets(header);
    std::vector<std::uint8_t> payload(fixed.begin(), fixed.end());
    if (message.mac) {
        const NdMacOption option{.type = message.is_solicitation ? kNdOptionSourceMac : kNdOptionTargetMac,
                                 .mac = message.mac->octets()};
        const auto octets = header_octets(option);
        payload.insert(payload.end(), octets.begin(), octets.end());
    }
    store_big_endian16(&payload[offsetof(IcmpHeader, checksum)],
                       icmpv6_checksum(message.source, message.destination, payload));
    return build_ip({.source = message.source,
                     .destination = message.destination,
                     .protocol = kProtocolIcmpv6,
                     .hop_limit = kNeighborHopLimit,
                     .payload = payload});
}

}  // namespace bulkhead
