// SPDX-License-Identifier: Apache-2.0
// How an underlay's configuration answers for an address: is it on the link, by which gateway else, how large may what
// is sent there be.
#pragma once

#include <cstdint>
#include <optional>

#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"

namespace bulkhead {

/// The underlay's own address on whose network `address` is; the longest network if there are several, nullptr if none.
[[nodiscard]] const IpPrefix* network_of(const Underlay& underlay, const IpAddress& address);

/// The address itself where it is on the link, else the gateway of its family; nothing: it can't be reached.
[[nodiscard]] std::optional<IpAddress> next_hop(const Underlay& underlay, const IpAddress& address);

/// The address that a tunnel's packets come from: that on the network of the next hop.
[[nodiscard]] IpAddress local_address(const Underlay& underlay, const IpAddress& remote);

[[nodiscard]] bool is_own_address(const Underlay& underlay, const IpAddress& address);

/// Whether an address of this network can be one node's: neither its broadcast address (RFC 919, section 7) nor the
/// network itself, which in IPv6 is the routers' anycast (RFC 4291, section 2.6.1). On a network of two or one
/// (RFC 3021, RFC 6164) every address can.
[[nodiscard]] bool is_host_of(const IpPrefix& network, const IpAddress& address);

/// Bytes that a tunnel adds to a layer-3 packet of a segment: Ethernet, the tunnel's header with its options, UDP, and
/// the outer IP.
[[nodiscard]] std::uint16_t tunnel_overhead(const Tunnel& tunnel);

}  // namespace bulkhead
