// SPDX-License-Identifier: Apache-2.0
// Whether a frame says of its sender only what the sender is: the addresses in its headers, in ARP and in Neighbor
// Discovery, and the roles of a router or a DHCP server.
//
// Threads: any. Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vswitch/base/drop_reason.h"
#include "vswitch/security/station_rules.h"

namespace bulkhead {

/// What is looked at of a frame. Headers that don't end within it are taken for ones that hide something.
inline constexpr std::size_t kMostHeaders = 2048;

/// `frame` from its Ethernet header on, up to kMostHeaders octets. Its VLAN tags don't matter. Verdicts: none,
/// spoofed_mac, spoofed_ip, spoofed_arp, spoofed_nd, rogue_router, rogue_dhcp_server, unreadable_headers.
[[nodiscard]] DropReason check_station(const StationRules& rules, std::span<const std::uint8_t> frame) noexcept;

}  // namespace bulkhead
