// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "vswitch/packet/ip_packet.h"

namespace bulkhead {

enum class NoEcho : std::uint8_t {
    not_asked,  ///< no echo request, or one with IPv4 options or in fragments, which is not answered here
    malformed,
};

/// The packet that answers an echo request (RFC 792; RFC 4443, section 4.2): identifier, sequence number and data as
/// they came, TTL 64.
[[nodiscard]] std::expected<std::vector<std::uint8_t>, NoEcho> echo_reply(const IpPacket& request);

}  // namespace bulkhead
