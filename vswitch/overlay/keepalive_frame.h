// SPDX-License-Identifier: Apache-2.0
// BFD inside a tunnel: RFC 8971 for VXLAN, RFC 9521 for Geneve. A whole frame of the underlay; inside the tunnel an
// Ethernet frame with an IPv4 packet, whichever family the underlay has, and in it UDP (RFC 5881).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/bfd_packet.h"
#include "vswitch/overlay/link_format.h"
#include "vswitch/overlay/outer_header.h"

namespace bulkhead {

/// How a tunnel's keepalives leave.
struct KeepalivePath {
    TunnelType type = TunnelType::vxlan;
    OuterHeader header;  ///< the tunnel's own; its destination MAC is filled in as it is used
    MacAddress mac;      ///< of the underlay's NIC
    IpAddress local;
    IpAddress remote;
    std::optional<std::uint8_t> dscp;  ///< of the outer packet; none: that of the inner one
    bool has_udp_checksum = false;
};

/// `next_hop`: the outer destination.
[[nodiscard]] std::vector<std::uint8_t> build_keepalive(const KeepalivePath& path, const MacAddress& next_hop,
                                                        const BfdPacket& packet);

/// A UDP datagram of the underlay, without its header.
struct UnderlayDatagram {
    IpAddress source;
    std::span<const std::uint8_t> payload;
};
/// Nothing for a frame that holds no whole UDP datagram. The checksum is not looked at: decapsulation has.
[[nodiscard]] std::optional<UnderlayDatagram> read_underlay_datagram(const LinkFormat& link,
                                                                     std::span<const std::uint8_t> frame);
/// The BFD packet behind a tunnel's header; nothing for what else may stand there. Whatever the inner addresses are: it
/// is for us since it came through the tunnel, and from next door since its time to live is whole (RFC 5082).
[[nodiscard]] std::optional<BfdPacket> read_keepalive(TunnelType type, std::span<const std::uint8_t> tunnelled);

}  // namespace bulkhead
