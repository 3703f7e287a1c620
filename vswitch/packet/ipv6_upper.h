// SPDX-License-Identifier: Apache-2.0
// The way through an IPv6 packet's extension headers to what it carries (RFC 8200, section 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bulkhead {

struct Ipv6Upper {
    std::uint8_t protocol = 0;       ///< of the upper-layer header, or of the fragment that stands in its place
    bool is_fragment = false;        ///< there is a Fragment header, of a whole packet even (RFC 6946)
    bool is_later_fragment = false;  ///< any but the first: what follows is no upper-layer header
    // Of the Fragment header, if there is one:
    bool has_more_fragments = false;
    std::uint16_t fragment_offset = 0;  ///< octets
    std::uint32_t fragment = 0;         ///< identification
    std::size_t offset = 0;             ///< of what follows the last extension header, from the fixed header's start
};

/// More extension headers than any packet has use for; a longer chain is somebody hiding what stands behind it
/// (RFC 7045, RFC 9288).
inline constexpr std::size_t kMostExtensionHeaders = 8;

/// `packet` starts with a whole fixed header. None if the chain is cut off or longer than kMostExtensionHeaders; an
/// ESP header ends it, too.
[[nodiscard]] std::optional<Ipv6Upper> find_ipv6_upper(std::span<const std::uint8_t> packet) noexcept;

}  // namespace bulkhead
