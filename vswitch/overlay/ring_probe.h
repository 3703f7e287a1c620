// SPDX-License-Identifier: Apache-2.0
// The frame by which nodes find out whether their spokes form a ring. It travels inside tunnels, in the segment that it
// asks about, with EtherType 0x88B5 (IEEE 802-2014, clause 9.2.4: local experimental 1) and a group destination, so
// that a bridge which does not know it floods it. No pod ever gets or sends one.
//
// After the Ethernet header, big-endian: magic 32, version 8, kind 8, hops 8, zero 8, sender 64, VNI 32, sequence 32.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {

inline constexpr std::uint16_t kEtherTypeRingProbe = 0x88b5;
inline constexpr std::uint64_t kRingProbeAddress = 0x0342'4852'5000ULL;  ///< locally administered, group

struct RingProbe {
    enum class Kind : std::uint8_t {
        question = 1,  ///< does it come back to its sender by another link?
        claim,         ///< it did: the sender is on a ring, and stands for the election
        check,         ///< from the node that has cut a ring: is it still one?
        change,        ///< a link was cut or is used again: what was learned about the segment may be wrong
    };

    std::uint64_t sender = 0;  ///< a random number, other at every start of a node
    std::uint32_t vni = 0;
    std::uint32_t sequence = 0;
    Kind kind = Kind::question;
    std::uint8_t hops = 0;  ///< how many nodes may still pass it on
    bool operator==(const RingProbe&) const = default;
};

using RingProbeFrame = std::array<std::uint8_t, kShortestFrame>;
[[nodiscard]] RingProbeFrame write_ring_probe(const RingProbe& probe) noexcept;
/// `frame` begins with the Ethernet header; none if it is not a probe of this version.
[[nodiscard]] std::optional<RingProbe> read_ring_probe(std::span<const std::uint8_t> frame) noexcept;

[[nodiscard]] constexpr bool is_ring_probe(std::uint64_t destination, std::uint16_t ethertype) noexcept {
    return ethertype == kEtherTypeRingProbe && destination == kRingProbeAddress;
}

}  // namespace bulkhead
