// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/arp_message.h"

#include <algorithm>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {

std::optional<ArpMessage> parse_arp(std::span<const std::uint8_t> payload) {
    const auto packet = read_header<ArpPacket>(payload);
    if (!packet || packet->hardware_type.value() != kArpHardwareEthernet ||
        packet->protocol_type.value() != kEtherTypeIpv4 || packet->hardware_length != 6 || packet->protocol_length != 4)
        return std::nullopt;
    const std::uint16_t operation = packet->operation.value();
    if (operation != kArpRequest && operation != kArpReply) return std::nullopt;
    ArpMessage message{.is_request = operation == kArpRequest,
                       .sender_mac = MacAddress::from_octets(packet->sender_mac.data()),
                       .sender_ip = IpAddress::from_v4(packet->sender_ip.data()),
                       .target_mac = MacAddress::from_octets(packet->target_mac.data()),
                       .target_ip = IpAddress::from_v4(packet->target_ip.data())};
    if (message.sender_mac.is_multicast() || message.sender_mac.is_zero()) return std::nullopt;
    if (!message.sender_ip.is_usable() && !message.sender_ip.is_unspecified()) return std::nullopt;
    return message;
}

ArpPacket build_arp(const ArpMessage& message) {
    ArpPacket packet;
    packet.hardware_type = kArpHardwareEthernet;
    packet.protocol_type = kEtherTypeIpv4;
    packet.operation = message.is_request ? kArpRequest : kArpReply;
    packet.sender_mac = message.sender_mac.octets();
    packet.target_mac = message.target_mac.octets();
    std::copy_n(message.sender_ip.v4_octets(), 4, packet.sender_ip.begin());
    std::copy_n(message.target_ip.v4_octets(), 4, packet.target_ip.begin());
    return packet;
}

}  // namespace bulkhead
