// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/packet/ip_packet.h"

namespace bulkhead {

/// ff02::1 (RFC 4291, section 2.7.1)
[[nodiscard]] IpAddress all_nodes();
/// ff02::1:ffXX:XXXX, where whoever owns `address` listens (RFC 4291, section 2.7.1)
[[nodiscard]] IpAddress solicited_node(const IpAddress& address);
/// 33:33 and the last four octets (RFC 2464, section 7)
[[nodiscard]] MacAddress ipv6_multicast_mac(const IpAddress& group);
/// fe80::/64 and the modified EUI-64 of the MAC (RFC 2464, sections 4 and 5)
[[nodiscard]] IpPrefix link_local_of(const MacAddress& mac);

/// A Neighbor Solicitation or Advertisement (RFC 4861, sections 4.3 and 4.4).
struct NeighborMessage {
    bool is_solicitation = true;
    IpAddress source;  ///< `::` in a solicitation asks whether `target` is taken (RFC 4862, section 5.4.2)
    IpAddress destination;
    IpAddress target;
    bool solicited = false;         ///< of an advertisement
    bool overrides = false;         ///< of an advertisement
    std::optional<MacAddress> mac;  ///< Source (solicitation) or Target Link-Layer Address
};

/// None for what RFC 4861, sections 7.1.1 and 7.1.2, tells to discard. `packet` is ICMPv6 of one of the two types.
[[nodiscard]] std::optional<NeighborMessage> parse_neighbor_message(const IpPacket& packet);
/// The IPv6 packet.
[[nodiscard]] std::vector<std::uint8_t> build_neighbor_message(const NeighborMessage& message);

}  // namespace bulkhead
