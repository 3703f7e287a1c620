// SPDX-License-Identifier: Apache-2.0
// IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as they stand in a packet.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/packet/big_endian.h"

namespace bulkhead {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIgmp = 2;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;
inline constexpr std::uint8_t kProtocolSctp = 132;

inline constexpr std::uint16_t kIpv4Header = 20;  ///< without options
inline constexpr std::uint16_t kIpv6Header = 40;
inline constexpr std::uint16_t kUdpHeader = 8;

/// Without options.
struct Ipv4Header {
    std::uint8_t version_and_words = 0x45;  ///< version, and header length in words of 4 octets
    std::uint8_t traffic_class = 0;         ///< DSCP and ECN (RFC 2474, RFC 3168)
    BigEndian16 total_length;
    BigEndian16 identification;
    BigEndian16 fragment;  ///< flags, and offset in units of 8 octets
    std::uint8_t ttl = 0;
    std::uint8_t protocol = 0;
    BigEndian16 checksum;
    std::array<std::uint8_t, 4> source{};
    std::array<std::uint8_t, 4> destination{};
};
static_assert(sizeof(Ipv4Header) == kIpv4Header);

inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4FragmentOffset = 0x1fff;

struct Ipv6Header {
    BigEndian32 version_class_flow;  ///< 4 bits version, 8 traffic class, 20 flow label
    BigEndian16 payload_length;
    std::uint8_t next_header = 0;
    std::uint8_t hop_limit = 0;
    std::array<std::uint8_t, 16> source{};
    std::array<std::uint8_t, 16> destination{};
};
static_assert(sizeof(Ipv6Header) == kIpv6Header);

}  // namespace bulkhead
