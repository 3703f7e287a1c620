// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "vswitch/base/mac_address.h"

namespace bulkhead {

/// An Ethernet frame of the underlay without its VLAN tag; the payload is followed by what padding there is.
struct LinkFrame {
    MacAddress destination;
    MacAddress source;
    std::uint16_t ethertype = 0;
    std::span<const std::uint8_t> payload;
};

enum class LinkFault : std::uint8_t { truncated, other_vlan };

/// How frames look on the underlay's link: all with one VLAN tag, or all without.
class LinkFormat {
  public:
    LinkFormat(const MacAddress& mac, std::optional<std::uint16_t> vlan) : mac_(mac), vlan_(vlan) {}

    [[nodiscard]] const MacAddress& mac() const { return mac_; }
    /// On a link without a tag, priority-tagged frames count as untagged (IEEE 802.1Q-2018, section 6.9).
    [[nodiscard]] std::expected<LinkFrame, LinkFault> parse(std::span<const std::uint8_t> frame) const;
    /// From mac(), padded to the least length.
    [[nodiscard]] std::vector<std::uint8_t> build(const MacAddress& destination, std::uint16_t ethertype,
                                                  std::span<const std::uint8_t> payload) const;

  private:
    MacAddress mac_;
    std::optional<std::uint16_t> vlan_;
};

}  // namespace bulkhead
