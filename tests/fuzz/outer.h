// SPDX-License-Identifier: Apache-2.0
// Tunnelled frames read and mended slowly and by the letter of the RFCs: what the switch's own reading is judged by.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"

namespace bulkhead::fuzz {

using Octets = std::span<const std::uint8_t>;

struct Outer {
    std::uint64_t destination_mac = 0, source_mac = 0;
    std::uint16_t vlan = 0;  ///< 0: none
    IpAddress source, destination;
    TunnelType type = TunnelType::vxlan;
    std::uint32_t vni = 0;
    std::uint8_t ecn = 0;
    bool has_checksum = false;  ///< and it is right
    std::uint16_t group = 0;    ///< of the sender, as the header says; 0: none
    bool is_bare = false;       ///< nothing that the header of a node which knows no groups would not have
    Octets inner;
};

/// Nothing if any field is not as it must be; `inner` points into `frame`.
[[nodiscard]] std::optional<Outer> read_outer(Octets frame);

/// Makes lengths and checksums right, which no mutation would guess; a UDP checksum of 0 stays.
void repair(std::vector<std::uint8_t>& frame);

}  // namespace bulkhead::fuzz
