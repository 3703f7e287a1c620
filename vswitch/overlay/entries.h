// SPDX-License-Identifier: Apache-2.0
// Tunnels and underlays as workers read them; parts of the snapshot.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/tunnel_index.h"

namespace bulkhead {

/// Stands beside the PortEntry that a tunnel has as if it were a port.
struct TunnelEntry {
    OuterHeader header;
    PortIndex nic = kNoPort;
    NextHopIndex next_hop = 0;
    std::uint32_t longest_frame = 0;  ///< inner, with the tags that are left on it
    std::uint8_t traffic_class = 0;   ///< DSCP in its place of the TOS octet
    bool copies_dscp = false;
    bool has_udp_checksum = false;
    GroupField group_field = GroupField::none;  ///< where its frames say their sender's group
    TunnelType type = TunnelType::vxlan;
    std::uint16_t udp_port = 0;  ///< of both ends
    IpAddress local, remote;

    [[nodiscard]] std::uint16_t header_length() const noexcept {
        return static_cast<std::uint16_t>(header.length + options_length(group_field));
    }
};

/// Stands beside the PortEntry of the NIC port that an underlay uses, and, with nothing but `wire`, beside that of its
/// host TAP.
struct UnderlayEntry {
    std::uint64_t mac = 0;
    std::uint16_t vlan = 0;  ///< 0: untagged
    std::vector<IpAddress> addresses;
    std::vector<std::pair<std::uint16_t, TunnelType>> udp_ports;  ///< a handful: 4789, 6081
    TunnelIndex tunnels;
    bool has_keepalives = false;  ///< of some tunnel
    PortIndex host = kNoPort;     ///< the TAP that gets what is not for the switch; none, or not open
    PortIndex wire = kNoPort;     ///< of a host TAP: the NIC that all it brings leaves by

    [[nodiscard]] bool has_address(const IpAddress& address) const noexcept {
        for (const IpAddress& own : addresses)
            if (own == address) return true;
        return false;
    }
};

}  // namespace bulkhead
