// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/packet/arp.h"

namespace bulkhead {

/// An ARP request or reply (RFC 826). A sender's IP of 0.0.0.0 makes a request a probe (RFC 5227, section 1.1).
struct ArpMessage {
    bool is_request = true;
    MacAddress sender_mac;
    IpAddress sender_ip;
    MacAddress target_mac;
    IpAddress target_ip;
};

/// None for what is no request or reply of IPv4 over Ethernet, and for a sender that nobody can be.
[[nodiscard]] std::optional<ArpMessage> parse_arp(std::span<const std::uint8_t> payload);
[[nodiscard]] ArpPacket build_arp(const ArpMessage& message);

}  // namespace bulkhead
