// SPDX-License-Identifier: Apache-2.0
// Frames of an underlay's link as its other stations send them, written without the code under test.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/unit/support/frames.h"
#include "vswitch/base/ip_address.h"

namespace bulkhead::test {

[[nodiscard]] Bytes hex(std::string_view digits);
[[nodiscard]] IpAddress ip(std::string_view text);

struct Arp {
    std::uint16_t operation = 1;
    unsigned sender = 2;  ///< a station, see frames.h
    std::string_view sender_ip = "192.0.2.2";
    std::string_view target_ip = "192.0.2.1";
    unsigned to = 0xff;
    Bytes tag = {};  ///< octets between addresses and EtherType
};
[[nodiscard]] Bytes arp_frame(const Arp& arp);

struct Ipv6 {
    unsigned from = 2;
    Bytes to = mac_bytes(1);
    std::string_view source = "2001:db8::2";
    std::string_view destination = "2001:db8::1";
    std::uint8_t hop_limit = 255;
    std::uint8_t next_header = 58;
};
/// With the checksum of `payload`, an ICMPv6 message, filled in.
[[nodiscard]] Bytes icmpv6_frame(const Ipv6& header, Bytes payload);

inline constexpr std::uint8_t kRouter = 0x80, kSolicited = 0x40, kOverride = 0x20;
[[nodiscard]] Bytes mac_option(std::uint8_t type, unsigned station);
/// ICMPv6 messages of types 135 and 136; checksum 0.
[[nodiscard]] Bytes solicitation(std::string_view target, const Bytes& options);
[[nodiscard]] Bytes advertisement(std::string_view target, std::uint8_t flags, const Bytes& options);

struct Ping {
    Bytes to = mac_bytes(1);
    unsigned from = 2;
    std::string_view source = "192.0.2.2";
    std::string_view destination = "192.0.2.1";
    std::uint8_t type = 8;
    std::uint16_t fragment = 0;
    std::size_t options = 0;  ///< octets, a multiple of 4
    std::size_t data = 5;
};
[[nodiscard]] Bytes ping_frame(const Ping& ping);
/// The checksum of the IPv4 header anew, after a change.
void fix_ipv4_checksum(Bytes& frame);

}  // namespace bulkhead::test
