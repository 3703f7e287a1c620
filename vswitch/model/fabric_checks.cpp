// SPDX-License-Identifier: Apache-2.0
// Rules that an underlay or a tunnel must keep by itself.
#include <set>

#include "vswitch/model/checks.h"
#include "vswitch/model/next_hop.h"

namespace bulkhead {
namespace {

std::string at(std::string_view array, std::size_t index, std::string_view field = {}) {
    return std::string(array) + "/" + std::to_string(index) + std::string(field);
}

Result<> check_addresses(const Underlay& underlay) {
    if (underlay.addresses.empty())
        return refused("/addresses", "is empty", kNothing, "at least one address of this node, like 192.0.2.1/24");
    std::set<IpAddress> seen;
    for (std::size_t i = 0; i < underlay.addresses.size(); ++i) {
        const IpPrefix& own = underlay.addresses[i];
        if (!own.address.is_usable() || !is_host_of(own, own.address)) {
            return refused(at("/addresses", i), "is no address that a node can have", own.to_string(),
                           "a unicast address with the length of its network, like 192.0.2.1/24");
        }
        if (!seen.insert(own.address).second)
            return refused(at("/addresses", i), "is in the list twice", own.to_string(), "each address once");
    }
    return {};
}

/// What a neighbour's address must be: on a network of the underlay, and not this node's own.
Result<> check_on_link(const Underlay& underlay, const IpAddress& address, std::string field) {
    if (is_own_address(underlay, address)) {
        return refused(std::move(field), "is this node's own", address.to_string(),
                       "the address of another node on the link");
    }
    const IpPrefix* network = network_of(underlay, address);
    if (network != nullptr && address.is_usable() && is_host_of(*network, address)) return {};
    std::string networks;
    for (const IpPrefix& own : underlay.addresses) networks += (networks.empty() ? "" : " or ") + own.to_string();
    return refused(std::move(field), "is on no network of addresses", address.to_string(),
                   "a host on the network of " + networks);
}

Result<> check_gateways(const Underlay& underlay) {
    bool has_v4 = false, has_v6 = false;
    for (std::size_t i = 0; i < underlay.gateways.size(); ++i) {
        const IpAddress& gateway = underlay.gateways[i];
        if (auto ok = check_on_link(underlay, gateway, at("/gateways", i)); !ok) return ok;
        bool& has_one = gateway.is_v4() ? has_v4 : has_v6;
        if (has_one) {
            return refused(at("/gateways", i), "is a second one of its family", gateway.to_string(),
                           "one IPv4 and one IPv6 gateway at most");
        }
        has_one = true;
    }
    return {};
}

Result<> check_neighbors(const Underlay& underlay) {
    std::set<IpAddress> seen;
    for (std::size_t i = 0; i < underlay.neighbors.size(); ++i) {
        const auto& [ip, mac] = underlay.neighbors[i];
        if (auto ok = check_on_link(underlay, ip, at("/neighbors", i, "/ip")); !ok) return ok;
        if (auto ok = check_unicast(mac, at("/neighbors", i, "/mac")); !ok) return ok;
        if (!seen.insert(ip).second)
            return refused(at("/neighbors", i, "/ip"), "is in the list twice", ip.to_string(), "each address once");
    }
    return {};
}

/// RFC 8200, section 5: every link that carries IPv6 carries packets of 1280 bytes.
Result<> check_underlay_mtu(const Underlay& underlay) {
    constexpr std::uint16_t kMinIpv6Mtu = 1280;
    for (const IpPrefix& own : underlay.addresses)
        if (!own.address.is_v4()) return check_range(underlay.mtu, kMinIpv6Mtu, kMaxMtu, "/mtu");
    return check_range(underlay.mtu, kMinMtu, kMaxMtu, "/mtu");
}

}  // namespace

Result<> check_underlay(const Underlay& underlay) {
    if (auto ok = check_name(underlay.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(underlay.owner, "/owner"); !ok) return ok;
    if (auto ok = check_addresses(underlay); !ok) return ok;
    if (auto ok = check_gateways(underlay); !ok) return ok;
    if (underlay.vlan) {
        if (auto ok = check_range(*underlay.vlan, kMinVlan, kMaxVlan, "/vlan"); !ok) return ok;
    }
    if (auto ok = check_underlay_mtu(underlay); !ok) return ok;
    if (!underlay.host_tap.empty()) {
        if (auto ok = check_interface_name(underlay.host_tap, "/host_tap"); !ok) return ok;
    }
    return check_neighbors(underlay);
}

Result<> check_tunnel(const Tunnel& tunnel) {
    if (auto ok = check_name(tunnel.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(tunnel.owner, "/owner"); !ok) return ok;
    if (!tunnel.remote.is_usable()) {
        return refused("/remote", "is no address that a node can have", tunnel.remote.to_string(),
                       "a unicast IPv4 or IPv6 address");
    }
    if (auto ok = check_range(tunnel.dst_port, 1, UINT16_MAX, "/dst_port"); !ok) return ok;
    if (auto ok = check_range(tunnel.ttl, 1, UINT8_MAX, "/ttl"); !ok) return ok;
    if (tunnel.dscp) {
        if (auto ok = check_range(*tunnel.dscp, 0, kMaxDscp, "/dscp"); !ok) return ok;
    }
    if (tunnel.keepalive_ms != 0 && (tunnel.keepalive_ms < kMinKeepaliveMs || tunnel.keepalive_ms > kMaxKeepaliveMs))
        return refused("/keepalive_ms", "is no pause between keepalives", std::to_string(tunnel.keepalive_ms),
                       kKeepalives);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < tunnel.segments.size(); ++i) {
        if (!seen.insert(tunnel.segments[i]).second) {
            return refused(at("/segments", i), "is in the list twice", in_quotes(tunnel.segments[i]),
                           "each segment once in a tunnel");
        }
    }
    return {};
}

}  // namespace bulkhead
