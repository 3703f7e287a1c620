// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/underlays.h"

#include <set>
#include <utility>

#include "vswitch/model/next_hop.h"
#include "vswitch/overlay/device_mac.h"

namespace bulkhead {
namespace {

constexpr std::uint64_t kLinkCheckMs = 1000;

/// What a host was made of: with any other it must be made anew.
bool is_same_host(const Underlay& a, const Underlay& b) {
    return a.addresses == b.addresses && a.gateways == b.gateways && a.vlan == b.vlan && a.mtu == b.mtu &&
           a.neighbors == b.neighbors;
}

std::string_view name_of(NeighborState state) {
    switch (state) {
        case NeighborState::fixed:
            return "static";
        case NeighborState::incomplete:
        case NeighborState::probing:
            return "probing";
        case NeighborState::reachable:
            return "reachable";
        case NeighborState::stale:
            return "stale";
        case NeighborState::failed:
            return "failed";
    }
    return {};
}

}  // namespace

Keepalives::Send Underlays::sender() {
    return [this](PortIndex nic, std::span<const std::uint8_t> frame) {
        if (exchange_.send(nic, frame)) wake_();
    };
}

std::unique_ptr<UnderlayHost> Underlays::make_speaker(const Host& host) {
    const Underlay& underlay = host.configured;
    return std::make_unique<UnderlayHost>(UnderlayHost::Settings{.mac = host.mac,
                                                                 .addresses = underlay.addresses,
                                                                 .gateways = underlay.gateways,
                                                                 .vlan = underlay.vlan,
                                                                 .mtu = underlay.mtu,
                                                                 .fixed = underlay.neighbors},
                                          [send = sender(), nic = host.nic](auto frame) { send(nic, frame); });
}

void Underlays::adopt(const Model& model, const Indices& indices, const std::map<std::string, PortIo*>& ports,
                      std::uint64_t now_ms) {
    adopt_hosts(model, indices, ports);
    adopt_tunnels(model, indices, now_ms);
    adopt_keepalives(model, now_ms);
}

void Underlays::adopt_hosts(const Model& model, const Indices& indices, const std::map<std::string, PortIo*>& ports) {
    std::map<std::string, Host> next;
    for (const auto& [name, underlay] : model.underlays) {
        const auto open = ports.find(underlay.port);
        if (open == ports.end()) continue;
        Host host{.configured = underlay,
                  .io = open->second,
                  .nic = *indices.ports.find(underlay.port),
                  .mac = device_mac(*open->second)};
        const auto present = hosts_.find(name);
        const bool goes_on = present != hosts_.end() && present->second.nic == host.nic &&
                             present->second.mac == host.mac && is_same_host(present->second.configured, underlay);
        if (goes_on) {
            host.is_up = present->second.is_up && present->second.io == host.io;
            host.speaker = std::move(present->second.speaker);
        } else {
            host.speaker = make_speaker(host);
        }
        next.emplace(name, std::move(host));
    }
    hosts_ = std::move(next);
}

void Underlays::adopt_tunnels(const Model& model, const Indices& indices, std::uint64_t now_ms) {
    std::map<std::string, Reached> next;
    std::map<std::string, std::set<IpAddress>> wanted;
    for (const auto& [name, tunnel] : model.tunnels) {
        const auto host = hosts_.find(tunnel.underlay);
        if (host == hosts_.end()) continue;
        UnderlayHost& speaker = *host->second.speaker;
        const Reached reached{.underlay = tunnel.underlay,
                              .index = *indices.ports.find(port_name_of_tunnel(name)),
                              .next_hop = speaker.next_hop(tunnel.remote)};
        wanted[tunnel.underlay].insert(tunnel.remote);
        const auto mac = reached.next_hop ? speaker.mac_of(*reached.next_hop) : std::nullopt;
        const auto before = tunnels_.find(name);
        const bool is_new = before == tunnels_.end() || before->second.next_hop != reached.next_hop ||
                            before->second.underlay != reached.underlay;
        if (mac)
            next_hops_.set_known(reached.index, *mac);
        else if (is_new && reached.next_hop && speaker.has_failed(*reached.next_hop))
            next_hops_.set_no_answer(reached.index);  // another tunnel has found out: nobody tells it again
        else if (is_new)
            next_hops_.set_asking(reached.index);
        next.emplace(name, reached);
    }
    tunnels_ = std::move(next);
    for (auto& [name, host] : hosts_) host.speaker->set_wanted(wanted[name], now_ms);
}

void Underlays::adopt_keepalives(const Model& model, std::uint64_t now_ms) {
    std::vector<Keepalives::Watched> watched;
    for (const auto& [name, reached] : tunnels_) {
        const Tunnel& tunnel = model.tunnels.at(name);
        const Host& host = hosts_.at(reached.underlay);
        const OuterHeader::Ends ends{.source = host.mac,
                                     .vlan = host.configured.vlan,
                                     .local = local_address(host.configured, tunnel.remote),
                                     .remote = tunnel.remote};
        watched.push_back({.tunnel = name,
                           .underlay = reached.underlay,
                           .interval_ms = tunnel.keepalive_ms,
                           .nic = host.nic,
                           .next_hop = reached.index,
                           .path = {.type = tunnel.type,
                                    .header = OuterHeader::build(tunnel, ends),
                                    .mac = ends.source,
                                    .local = ends.local,
                                    .remote = ends.remote,
                                    .dscp = tunnel.dscp,
                                    .has_udp_checksum = tunnel.udp_checksum}});
    }
    keepalives_.adopt(std::move(watched), now_ms);
}

void Underlays::start(std::uint64_t now_ms) {
    for (auto& [name, host] : hosts_) {
        host.looked_at_ms = 0;
        look_at_link(host, now_ms);
        pass_on(name, host);
    }
}

void Underlays::look_at_link(Host& host, std::uint64_t now_ms) {
    if (host.looked_at_ms != 0 && now_ms - host.looked_at_ms < kLinkCheckMs) return;
    host.looked_at_ms = now_ms;
    const bool is_up = host.io->state().link_up;
    if (is_up && !host.is_up) host.speaker->link_up(now_ms);
    if (!is_up && host.is_up) host.speaker->link_down();
    host.is_up = is_up;
}

void Underlays::serve(std::uint64_t now_ms) {
    exchange_.receive([&](PortIndex nic, std::span<const std::uint8_t> frame) { receive(nic, frame, now_ms); });
    keepalives_.tick(now_ms);
    for (auto& [name, host] : hosts_) {
        look_at_link(host, now_ms);
        if (host.speaker->next_deadline() <= now_ms) host.speaker->tick(now_ms);
        pass_on(name, host);
    }
}

void Underlays::receive(PortIndex nic, std::span<const std::uint8_t> frame, std::uint64_t now_ms) {
    for (auto& [name, host] : hosts_) {
        if (host.nic != nic) continue;
        const LinkFormat link(host.mac, host.configured.vlan);
        if (!keepalives_.receive(nic, link, frame, now_ms)) (void)host.speaker->receive(frame, now_ms);
    }
}

void Underlays::pass_on(const std::string& name, Host& host) {
    bool changed = false;
    const auto tell = [&](const IpAddress& next_hop, std::optional<MacAddress> mac) {
        for (const auto& [tunnel, reached] : tunnels_) {
            if (reached.underlay != name || reached.next_hop != next_hop) continue;
            changed = true;
            if (mac)
                next_hops_.set_known(reached.index, *mac);
            else
                next_hops_.set_no_answer(reached.index);
        }
    };
    for (const NextHopChange& change : host.speaker->take_changes()) tell(change.ip, change.mac);
    for (const UnderlayEvent& event : host.speaker->take_events()) {
        // One that never answered has no MAC to lose, so that this is all that is heard of it.
        if (event.kind == UnderlayEvent::Kind::neighbor_failed) tell(event.ip, std::nullopt);
        events_.push_back({name, event});
    }
    if (changed) wake_();  // frames wait for the answer
}

std::vector<NeighborInfo> Underlays::neighbors(const std::string& underlay, std::uint64_t now_ms) const {
    std::vector<NeighborInfo> rows;
    const auto host = hosts_.find(underlay);
    if (host == hosts_.end()) return rows;
    const auto seconds = [](std::uint64_t ms) { return static_cast<std::uint32_t>(ms / 1000); };
    for (const CachedNeighbor& neighbor : host->second.speaker->neighbors(now_ms))
        rows.push_back({.ip = neighbor.ip,
                        .mac = neighbor.mac,
                        .state = std::string(name_of(neighbor.state)),
                        .age_s = seconds(neighbor.age_ms)});
    for (const OwnAddresses::State& own : host->second.speaker->addresses())
        if (own.rival)
            rows.push_back({.ip = own.ip,
                            .mac = own.rival,
                            .state = "reachable",
                            .age_s = seconds(now_ms - own.rival_heard),
                            .is_duplicate = true});
    return rows;
}

TunnelState Underlays::tunnel(const std::string& name) const {
    const auto reached = tunnels_.find(name);
    if (reached == tunnels_.end()) return {};
    const NextHops::Entry entry = next_hops_.read(reached->second.index);
    const bool is_known = entry.state == NextHops::State::known;
    return {.next_hop = reached->second.next_hop,
            .next_hop_mac = is_known ? std::optional(MacAddress(entry.mac)) : std::nullopt,
            .resolved = is_known,
            .alive = keepalives_.is_alive(name)};
}

}  // namespace bulkhead
