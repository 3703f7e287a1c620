// SPDX-License-Identifier: Apache-2.0
// How underlays and tunnels fit with what was taken before them.
#include <algorithm>

#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"
#include "vswitch/model/host_tap.h"
#include "vswitch/model/next_hop.h"

namespace bulkhead {
namespace {

std::string name_of(TunnelType type) {
    return type == TunnelType::vxlan ? "vxlan" : "geneve";
}

std::string family_of(const IpAddress& address) {
    return address.is_v4() ? "IPv4" : "IPv6";
}

}  // namespace

Result<> Admission::check_underlay_port(const Underlay& underlay) const {
    const auto port = ports_.find(underlay.port);
    if (port == ports_.end())
        return failure(no_such_object("port", underlay.port, "/port", "the name of an ethdev port"));
    const std::string got = in_quotes(underlay.port);
    if (!port->second.is_ethdev) return refused("/port", "is no NIC", got, "a port of type ethdev");
    if (!port->second.segments.empty()) {
        return refused("/port", "is attached to segment " + in_quotes(*port->second.segments.begin()), got,
                       "a port that no segment is attached to");
    }
    if (port->second.has_limits)
        return refused("/port", "has limits, which are for ports of segments", got, "a port without limits");
    for (const auto& [name, other] : underlays_) {
        if (other.port == underlay.port)
            return refused("/port", "is used by underlay " + in_quotes(name), got, "each port for one underlay");
    }
    if (port->second.mtu && *port->second.mtu < underlay.mtu) {
        return refused("/mtu", "is more than port " + got + " carries", std::to_string(underlay.mtu),
                       "at most the port's mtu, " + std::to_string(*port->second.mtu));
    }
    return {};
}

Result<> Admission::check_addresses_are_free(const Underlay& underlay) const {
    for (std::size_t i = 0; i < underlay.addresses.size(); ++i) {
        for (const auto& [name, other] : underlays_) {
            if (!is_own_address(other, underlay.addresses[i].address)) continue;
            return refused("/addresses/" + std::to_string(i), "is an address of underlay " + in_quotes(name),
                           underlay.addresses[i].to_string(), "an address that no other underlay has");
        }
    }
    return {};
}

/// The interface is one that nothing else of this node has.
Result<> Admission::check_host_tap(const Underlay& underlay) const {
    const auto port = host_port(underlay);
    if (!port) return {};
    const auto taken = [&](const std::string& by) {
        return refused("/host_tap", "is taken by " + by, in_quotes(underlay.host_tap),
                       "an interface that no port and no other underlay has");
    };
    if (const auto other = port_by_device_.find(device_identity(*port)); other != port_by_device_.end())
        return taken("port " + in_quotes(other->second));
    for (const auto& [name, other] : underlays_)
        if (other.host_tap == underlay.host_tap) return taken("underlay " + in_quotes(name));
    return check_room(0);
}

Result<> Admission::add(const Underlay& underlay) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_underlay(underlay); !ok) return ok;
        if (auto ok = check_underlay_port(underlay); !ok) return ok;
        if (auto ok = check_addresses_are_free(underlay); !ok) return ok;
        if (auto ok = check_host_tap(underlay); !ok) return ok;
        if (underlays_.size() < kMaxUnderlays) return {};
        return failure({.code = ErrorCode::limit,
                        .message = "too many underlays",
                        .allowed = "at most " + std::to_string(kMaxUnderlays)});
    };
    if (auto ok = about(check(), "underlay", underlay.name); !ok) return ok;
    underlays_.emplace(underlay.name, underlay);
    if (!underlay.host_tap.empty()) ++host_taps_;
    return {};
}

Result<> Admission::check_remote(const Tunnel& tunnel) const {
    const IpAddress& remote = tunnel.remote;
    const std::string got = remote.to_string();
    for (const auto& [name, other] : underlays_) {
        if (!is_own_address(other, remote)) continue;
        return refused("/remote", "is this node's own, on underlay " + in_quotes(name), got,
                       "the address of another node");
    }
    const Underlay& underlay = underlays_.at(tunnel.underlay);
    const std::string family = family_of(remote), at = "underlay " + in_quotes(tunnel.underlay);
    if (std::ranges::find(underlay.addresses, remote.is_v4(),
                          [](const IpPrefix& own) { return own.address.is_v4(); }) == underlay.addresses.end()) {
        return refused("/remote", "can't be reached: " + at + " has no " + family + " address", got,
                       "an address of a family that the underlay has");
    }
    const IpPrefix* network = network_of(underlay, remote);
    if (network != nullptr && !is_host_of(*network, remote)) {
        return refused("/remote", "is no node's address on the network of " + network->to_string(), got,
                       "a unicast address");
    }
    if (!next_hop(underlay, remote)) {
        return refused("/remote",
                       "can't be reached: it is on no network of " + at + ", which has no " + family + " gateway", got,
                       "an address on a network of the underlay, or any with a gateway");
    }
    const auto other = tunnel_by_remote_.find(remote);
    if (other == tunnel_by_remote_.end()) return {};
    const auto& [type, name] = other->second;
    const std::string whose = "is the remote of tunnel " + in_quotes(name);
    const std::string types =
        " of type " + name_of(type) + ", and tunnel " + in_quotes(tunnel.name) + " is of type " + name_of(tunnel.type);
    return refused("/remote", type == tunnel.type ? whose + " already" : whose + types, got,
                   "one tunnel to each remote node");
}

Result<> Admission::check_segments(const Tunnel& tunnel) const {
    const std::uint16_t overhead = tunnel_overhead(tunnel), available = underlays_.at(tunnel.underlay).mtu;
    for (std::size_t i = 0; i < tunnel.segments.size(); ++i) {
        const std::string field = "/segments/" + std::to_string(i);
        const auto segment = mtu_of_segment_.find(tunnel.segments[i]);
        if (segment == mtu_of_segment_.end()) return failure(no_such_segment(tunnel.segments[i], field));
        const std::uint32_t needed = std::uint32_t{segment->second} + overhead;
        if (needed <= available) continue;
        const std::string largest = available < overhead + kMinMtu
                                        ? "an underlay MTU of at least " + std::to_string(needed)
                                        : "a segment MTU of at most " + std::to_string(available - overhead) +
                                              ", or an underlay MTU of at least " + std::to_string(needed);
        return refused(field,
                       "has MTU " + std::to_string(segment->second) + " and needs " + std::to_string(needed) +
                           " with the tunnel's headers: underlay " + in_quotes(tunnel.underlay) + " has " +
                           std::to_string(available),
                       in_quotes(tunnel.segments[i]), largest);
    }
    return {};
}

Result<> Admission::add(const Tunnel& tunnel) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_tunnel(tunnel); !ok) return ok;
        if (!underlays_.contains(tunnel.underlay))
            return failure(no_such_object("underlay", tunnel.underlay, "/underlay", "the name of an underlay"));
        if (auto ok = check_remote(tunnel); !ok) return ok;
        const auto other = tunnel_by_udp_port_.find(tunnel.dst_port);
        if (other != tunnel_by_udp_port_.end() && other->second.type != tunnel.type) {
            return refused("/dst_port",
                           "is where tunnel " + in_quotes(other->second.name) + " speaks " +
                               name_of(other->second.type) + ": a port has one type",
                           std::to_string(tunnel.dst_port),
                           "a port that no " + name_of(other->second.type) + " tunnel has");
        }
        if (auto ok = check_segments(tunnel); !ok) return ok;
        return check_room(tunnel.segments.size());
    };
    if (auto ok = about(check(), "tunnel", tunnel.name); !ok) return ok;
    tunnel_by_remote_.emplace(tunnel.remote, TunnelFacts{tunnel.type, tunnel.name});
    tunnel_by_udp_port_.try_emplace(tunnel.dst_port, tunnel.type, tunnel.name);
    segments_of_tunnel_.emplace(tunnel.name, std::set(tunnel.segments.begin(), tunnel.segments.end()));
    attachments_ += tunnel.segments.size();
    return {};
}

}  // namespace bulkhead
