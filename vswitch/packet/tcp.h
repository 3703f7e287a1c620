// SPDX-License-Identifier: Apache-2.0
// TCP header (RFC 9293, section 3.1), as it stands in a packet.
#pragma once

#include <cstdint>

namespace bulkhead {

inline constexpr std::uint16_t kTcpHeader = 20;  ///< without options
inline constexpr std::uint8_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpPsh = 0x08, kTcpAck = 0x10,
                              kTcpUrg = 0x20;

// Offsets of its fields.
inline constexpr std::uint16_t kTcpSequence = 4, kTcpAcknowledgment = 8, kTcpDataOffset = 12, kTcpFlags = 13;

/// RFC 9293 knows no segment without ACK but a SYN and a RST, and none that begins and ends at once.
[[nodiscard]] constexpr bool are_valid_tcp_flags(std::uint8_t flags) noexcept {
    switch (flags & (kTcpFin | kTcpSyn | kTcpRst | kTcpAck)) {
        case kTcpSyn:
        case kTcpSyn | kTcpAck:
        case kTcpRst:
        case kTcpRst | kTcpAck:
        case kTcpFin | kTcpAck:
        case kTcpAck:
            return true;
        default:
            return false;
    }
}

}  // namespace bulkhead
