// SPDX-License-Identifier: Apache-2.0
// A whole IP packet taken apart, and put together, with its lengths and checksum. For the few packets that the switch
// itself speaks of, not for those it forwards.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "vswitch/base/ip_address.h"

namespace bulkhead {

struct IpPacket {
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;  ///< of IPv6 its first header's `next_header`
    std::uint8_t hop_limit = 0;
    std::uint8_t traffic_class = 0;  ///< DSCP and ECN
    bool has_options = false;        ///< of IPv4
    bool is_fragment = false;        ///< of IPv4: any but the whole packet
    std::span<const std::uint8_t> payload;
};

enum class IpFault : std::uint8_t { truncated, bad_version, bad_length, bad_checksum, bad_address };

/// `bytes` start at the IP header; what lies behind the packet is padding.
[[nodiscard]] std::expected<IpPacket, IpFault> parse_ipv4(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::expected<IpPacket, IpFault> parse_ipv6(std::span<const std::uint8_t> bytes);

/// The family is that of the addresses. An IPv4 packet is one that must not be fragmented, so it needs no
/// identification (RFC 6864, section 4.1).
[[nodiscard]] std::vector<std::uint8_t> build_ip(const IpPacket& packet);

}  // namespace bulkhead
