// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

/// What of a frame stays the same wherever in its segment it is seen. The mbuf may still have a VLAN tag of
/// `tag_length` octets that is not the segment's.
struct FrameIdentity {
    std::uint64_t segment = 0;  ///< any number that tells segments apart
    std::uint64_t destination = 0, source = 0;
    std::uint16_t ethertype = 0;
    std::uint32_t length = 0;  ///< without that tag
    std::uint16_t tag_length = 0;
};

/// A hash under a secret of the addresses, the length and the first 128 octets behind the addresses' EtherType. Equal
/// for copies of one frame, though one has padding (IEEE 802.3, clause 4.2.3.3), or a TCP or UDP checksum that the
/// other's device has yet to fill in.
[[nodiscard]] std::uint64_t fingerprint(const rte_mbuf* frame, const FrameIdentity& identity,
                                        std::uint64_t secret) noexcept;

}  // namespace bulkhead
