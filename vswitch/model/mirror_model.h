// SPDX-License-Identifier: Apache-2.0
// Copies of traffic for an observer, as plain values. What the fields mean is told in docs/mirrors.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace bulkhead {

inline constexpr std::size_t kMaxMirrors = 256;
inline constexpr std::size_t kMaxMirrorRules = 256;          ///< rules of policy that mirror, of all segments
inline constexpr std::size_t kMaxMirrorRulesOfSegment = 64;  ///< which are asked about each of its frames
inline constexpr std::uint32_t kMinSnaplen = 14;             ///< IEEE 802.3: the addresses and the EtherType
inline constexpr std::uint32_t kMaxSnaplen = 65'535;

/// As the switch sees it: `in` comes into it by a port, or into a segment; `out` leaves.
enum class MirrorDirection : std::uint8_t { both, in, out };

struct Mirror {
    std::string owner;
    std::string name;
    // The source: `segment`, or `port`, or `policy` with the `segment` whose rule it is.
    std::string segment;
    std::string port;
    std::string policy;
    std::string to;                    ///< with `vni` a tunnel, else a port
    std::optional<std::uint32_t> vni;  ///< of the copies in the tunnel; no segment's
    MirrorDirection direction = MirrorDirection::both;
    std::optional<std::uint32_t> snaplen;  ///< octets of each frame; none: all
    bool operator==(const Mirror&) const = default;
};

}  // namespace bulkhead
