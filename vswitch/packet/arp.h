// SPDX-License-Identifier: Apache-2.0
// ARP for IPv4 over Ethernet (RFC 826), as it stands in a frame.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/packet/big_endian.h"

namespace bulkhead {

inline constexpr std::uint16_t kArpHardwareEthernet = 1;
inline constexpr std::uint16_t kArpRequest = 1;
inline constexpr std::uint16_t kArpReply = 2;

struct ArpPacket {
    BigEndian16 hardware_type;
    BigEndian16 protocol_type;  ///< an EtherType
    std::uint8_t hardware_length = 6;
    std::uint8_t protocol_length = 4;
    BigEndian16 operation;
    std::array<std::uint8_t, 6> sender_mac{};
    std::array<std::uint8_t, 4> sender_ip{};
    std::array<std::uint8_t, 6> target_mac{};
    std::array<std::uint8_t, 4> target_ip{};
};
static_assert(sizeof(ArpPacket) == 28);

}  // namespace bulkhead
