// SPDX-License-Identifier: Apache-2.0
// The Ethernet header of a frame with all its VLAN tags, for the few frames that the switch answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vswitch/base/mac_address.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {

struct LinkHeader {
    static constexpr std::size_t kMost = kEthernetHeader + 2UL * kVlanTag;

    MacAddress destination;
    MacAddress source;
    std::uint16_t length = 0;  ///< up to what `ethertype` says, at most kMost
    std::uint16_t ethertype = 0;
};

/// None for a frame that is cut off within its header, or has more than two tags.
[[nodiscard]] inline std::optional<LinkHeader> read_link_header(std::span<const std::uint8_t> frame) noexcept {
    for (std::size_t end = kEthernetHeader; end <= LinkHeader::kMost && end <= frame.size(); end += kVlanTag) {
        const auto type = load_big_endian<std::uint16_t>(&frame[end - 2]);
        if (is_vlan_ethertype(type)) continue;
        return LinkHeader{.destination = MacAddress::from_octets(frame.data()),
                          .source = MacAddress::from_octets(frame.data() + 6),
                          .length = static_cast<std::uint16_t>(end),
                          .ethertype = type};
    }
    return std::nullopt;
}

}  // namespace bulkhead
