// SPDX-License-Identifier: Apache-2.0
// The BFD Control packet of RFC 5880, section 4.1, without authentication.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bulkhead {

inline constexpr std::uint16_t kBfdPort = 3784;  ///< UDP (RFC 5881, section 4)
inline constexpr std::size_t kBfdPacketSize = 24;

enum class BfdState : std::uint8_t { admin_down, down, init, up };

/// Why the sender's session left Up (RFC 5880, section 4.1); those that we say.
enum class BfdDiagnostic : std::uint8_t {
    none = 0,
    detection_time_expired = 1,
    neighbor_signaled_down = 3,
    administratively_down = 7,
};

/// Intervals in microseconds, as they are sent.
struct BfdPacket {
    BfdDiagnostic diagnostic = BfdDiagnostic::none;
    BfdState state = BfdState::down;
    bool poll = false;
    bool final = false;
    bool demand = false;
    std::uint8_t detect_multiplier = 0;
    std::uint32_t my_discriminator = 0;
    std::uint32_t your_discriminator = 0;
    std::uint32_t desired_min_tx_us = 0;
    std::uint32_t required_min_rx_us = 0;
    bool operator==(const BfdPacket&) const = default;
};

/// Nothing for what RFC 5880, section 6.8.6, discards whichever session it is for, and for what is authenticated: no
/// session here is. What stands behind the packet is ignored.
[[nodiscard]] std::optional<BfdPacket> parse_bfd(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::array<std::uint8_t, kBfdPacketSize> build_bfd(const BfdPacket& packet);

}  // namespace bulkhead
