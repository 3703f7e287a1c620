// SPDX-License-Identifier: Apache-2.0
// Where the layers of a frame begin, read with bounds checks from its first segment; only what a checksum or
// segmentation request must agree with.
#pragma once

#include <cstdint>
#include <optional>

struct rte_mbuf;

namespace bulkhead {

struct FrameLayers {
    std::uint16_t l2_len = 0;   ///< Ethernet and VLAN tags
    std::uint16_t l3_len = 0;   ///< IPv4 with options, or IPv6 with extension headers
    std::uint8_t protocol = 0;  ///< IANA protocol number of the payload
    bool ipv6 = false;
    std::uint32_t l3_bytes = 0;  ///< what the IP header claims, itself included; 0: IPv6 jumbo, not claimed there
};

/// None when the frame isn't IP, is a fragment, or its headers are cut off.
[[nodiscard]] std::optional<FrameLayers> find_layers(const rte_mbuf& frame) noexcept;

}  // namespace bulkhead
