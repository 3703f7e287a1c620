// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/cases.h"

#include <algorithm>
#include <utility>

#include "perf/rig/firewall.h"
#include "perf/rig/flow_traffic.h"
#include "perf/rig/newcomers.h"
#include "perf/rig/source.h"
#include "perf/rig/traffic.h"
#include "perf/rig/tunnel_traffic.h"

namespace bulkhead::rig {
namespace {

constexpr const char* kBlue = "blue";

/// Unknown destinations are dropped, and so counted as what they are: between two ports a flooded frame would look like
/// any other. The path of a frame whose destination is known is the same.
void add_segment(Scene& scene, const std::string& name, std::uint32_t vni, FloodMode flood = FloodMode::known) {
    scene.model.segments[name] = {.name = name, .vni = vni, .flood = flood, .mac_limit = kMaxMacLimit};
}

Port& add_port(Scene& scene, std::unique_ptr<MemoryPort> memory) {
    // Two digits, so that the order of the names is that of the ports.
    const std::size_t number = scene.ports.size();
    const std::string name = (number < 10 ? "p0" : "p") + std::to_string(number);
    scene.ports.push_back(std::move(memory));
    scene.names.push_back(name);
    scene.partners.emplace_back();
    Port& port = scene.model.ports[name];
    port.name = name;
    port.device = EthdevDevice{.devargs = "memory" + std::to_string(number)};
    return port;
}

Port& add_access_port(Scene& scene, std::unique_ptr<MemoryPort> memory) {
    Port& port = add_port(scene, std::move(memory));
    port.attachments.push_back({.vlan = std::nullopt, .segment = kBlue});
    return port;
}

template <typename Traffic>
std::unique_ptr<MemoryPort> make_source(Scene& scene, rte_mempool* buffers, Traffic traffic) {
    auto source = std::make_unique<TrafficSource<Traffic>>(scene.workers, buffers, traffic);
    scene.sources.push_back(source.get());
    scene.macs += traffic.stations();
    return source;
}

/// Two more access ports whose stations talk with each other.
void add_pair(Scene& scene, rte_mempool* buffers, std::uint32_t stations) {
    const auto a = static_cast<std::uint8_t>(scene.ports.size()), b = static_cast<std::uint8_t>(a + 1);
    const Population population{.stations = stations};
    add_access_port(scene, make_source(scene, buffers, StationTraffic<false>(a, b, population)));
    add_access_port(scene, make_source(scene, buffers, StationTraffic<false>(b, a, population)));
    scene.partners[a] = {b};
    scene.partners[b] = {a};
}

Scene pairs_in_one_segment(std::uint16_t workers, rte_mempool* buffers, unsigned pairs, std::uint32_t stations) {
    Scene scene{.workers = workers};
    add_segment(scene, kBlue, 100);
    for (unsigned pair = 0; pair < pairs; ++pair) add_pair(scene, buffers, stations);
    return scene;
}

Scene a_million_macs(std::uint16_t workers, rte_mempool* buffers) {
    return pairs_in_one_segment(workers, buffers, 1, 500'000);
}

Scene ten_thousand_pairs(std::uint16_t workers, rte_mempool* buffers) {
    return pairs_in_one_segment(workers, buffers, 1, 10'000);
}

Scene four_ports(std::uint16_t workers, rte_mempool* buffers) {
    return pairs_in_one_segment(workers, buffers, 2, 5'000);
}

/// A provider network: each VLAN of the one side is the same VLAN of the other.
Scene a_thousand_segments(std::uint16_t workers, rte_mempool* buffers) {
    constexpr std::uint16_t kVlans = 1000;
    constexpr Population kPopulation{.segments = kVlans, .stations = 32};
    Scene scene{.workers = workers};
    for (std::uint8_t side = 0; side < 2; ++side) {
        const auto far_side = static_cast<std::uint8_t>(1 - side);
        Port& port = add_port(scene, make_source(scene, buffers, StationTraffic<true>(side, far_side, kPopulation)));
        scene.partners[side] = {far_side};
        for (std::uint16_t vlan = 1; vlan <= kVlans; ++vlan)
            port.attachments.push_back({.vlan = vlan, .segment = "s" + std::to_string(vlan)});
    }
    for (std::uint16_t vlan = 1; vlan <= kVlans; ++vlan) add_segment(scene, "s" + std::to_string(vlan), vlan);
    return scene;
}

Scene one_to_many(std::uint16_t workers, rte_mempool* buffers) {
    constexpr std::size_t kTargets = 64;
    constexpr std::uint32_t kSpeakers = 64;
    Scene scene{.workers = workers};
    add_segment(scene, kBlue, 100, FloodMode::all);
    add_access_port(scene, make_source(scene, buffers, BroadcastTraffic(0, kSpeakers)));
    for (std::size_t target = 1; target <= kTargets; ++target) {
        add_access_port(scene, std::make_unique<MemoryPort>(workers));
        scene.partners[0].push_back(target);
    }
    return scene;
}

Scene newcomers_beside_a_pair(std::uint16_t workers, rte_mempool* buffers) {
    Scene scene = pairs_in_one_segment(workers, buffers, 1, kKnownASide);
    auto newcomers = std::make_unique<Newcomers>(workers, buffers, 2, 0, kKnownASide);
    scene.newcomers = newcomers.get();
    add_access_port(scene, std::move(newcomers));
    scene.partners[2] = {0};
    return scene;
}

/// Pairs of access ports whose stations open `connections` in all, each port its share.
template <typename Traffic>
Scene flows(std::uint16_t workers, rte_mempool* buffers, unsigned pairs, std::uint32_t connections) {
    Scene scene{.workers = workers, .connections = connections};
    add_segment(scene, kBlue, 100);
    for (std::uint8_t side = 0; side < 2 * pairs; ++side) {
        const auto far_side = static_cast<std::uint8_t>(side ^ 1);
        add_access_port(scene, make_source(scene, buffers, Traffic(side, far_side, connections / (2 * pairs))));
        scene.partners[side] = {far_side};
    }
    scene.macs = std::size_t{2} * pairs * kStationsOfFlows;
    return scene;
}

Scene with_firewall(Scene scene) {
    add_firewall(scene.model, kBlue);
    return scene;
}

Scene established(std::uint16_t workers, rte_mempool* buffers) {
    return flows<ConnectionTraffic>(workers, buffers, 1, 100'000);
}
Scene established_by_policy(std::uint16_t workers, rte_mempool* buffers) {
    return with_firewall(established(workers, buffers));
}
Scene openings(std::uint16_t workers, rte_mempool* buffers) {
    // Nearly all that the table holds: with the last few, not every one finds a place.
    return flows<OpeningTraffic>(workers, buffers, 2, 180'000);
}
Scene openings_by_policy(std::uint16_t workers, rte_mempool* buffers) {
    return with_firewall(openings(workers, buffers));
}

/// 64 nodes with a station in each of 16 segments, and a pod here in each.
Scene from_tunnels(std::uint16_t workers, rte_mempool* buffers, bool with_marks) {
    static constexpr Overlay kOverlay{.nodes = 64, .segments = 16};
    Scene scene{.workers = workers};
    const auto marks = std::make_shared<std::vector<FlowMark>>();
    auto nic = std::make_unique<NicSource>(workers, buffers, TunnelTraffic(kOverlay, marks));
    scene.sources.push_back(nic.get());
    scene.macs = kOverlay.nodes * kOverlay.segments + kOverlay.segments;
    add_port(scene, std::move(nic));
    scene.partners[0] = {1};
    Underlay underlay{.name = "u0", .port = scene.names[0]};
    underlay.addresses = {IpPrefix{.address = own_address(), .length = 16}};
    scene.model.underlays["u0"] = underlay;
    std::vector<std::string> segments;
    for (std::uint32_t number = 0; number < kOverlay.segments; ++number) {
        const std::string name = "s" + std::to_string(number);
        add_segment(scene, name, kFirstVni + number);
        scene.model.segments[name].mtu = 1450;
        Port& pod = add_port(scene, std::make_unique<MemoryPort>(workers));
        pod.attachments.push_back({.vlan = std::nullopt, .segment = name});
        const MacAddress mac(station_mac(static_cast<std::uint8_t>(1 + number), number, 0));
        scene.model.static_macs[{name, mac}] = {.segment = name, .mac = mac, .port = pod.name};
        segments.push_back(name);
    }
    for (std::uint32_t node = 0; node < kOverlay.nodes; ++node) {
        const std::string name = (node < 10 ? "n0" : "n") + std::to_string(node);
        scene.model.tunnels[name] = {
            .name = name, .underlay = "u0", .remote = node_address(node), .segments = segments};
    }
    if (!with_marks) return scene;
    scene.adopt = [marks](const Snapshot& snapshot) {
        marks->assign(std::size_t{kOverlay.nodes} * kOverlay.segments, kNoMark);
        for (AttachmentIndex index = 0; index < snapshot.attachments.size(); ++index) {
            const AttachmentEntry& entry = snapshot.attachments[index];
            const auto& tunnel = snapshot.ports[entry.port].tunnel;
            for (std::uint32_t node = 0; tunnel && node < kOverlay.nodes; ++node)
                if (tunnel->remote == node_address(node))
                    (*marks)[node * kOverlay.segments + entry.vni - kFirstVni] = snapshot.marks[index].mark;
        }
    };
    return scene;
}
Scene unmarked(std::uint16_t workers, rte_mempool* buffers) {
    return from_tunnels(workers, buffers, false);
}
Scene marked(std::uint16_t workers, rte_mempool* buffers) {
    return from_tunnels(workers, buffers, true);
}

constexpr Case kCases[] = {
    {"macs-1000000", "two access ports, 500,000 stations on each, all pairs", 1, Metric::packet, a_million_macs},
    {"segments-1000x64", "two trunk ports, 1,000 VLANs and segments, 32 stations a side and segment", 1, Metric::packet,
     a_thousand_segments},
    {"flood-64", "broadcast from one port to 64", 1, Metric::copy, one_to_many},
    {"l2-10000-memory", "two access ports, 10,000 stations on each, all pairs", 1, Metric::packet, ten_thousand_pairs},
    {"workers-1", "two pairs of access ports, 5,000 stations on each, one worker", 1, Metric::packet, four_ports},
    {"workers-2", "the same with two workers, the second on the control core", 2, Metric::packet, four_ports},
    {"learning", "10,000 stations on each of two ports, and a third with a million newcomers a second", 1,
     Metric::packet, newcomers_beside_a_pair},
    {"flows-100000", "two access ports, 100,000 flows of UDP at random", 1, Metric::packet, established},
    {"flows-100000-policy", "the same with ten stateful rules, all established", 1, Metric::packet,
     established_by_policy},
    {"openings", "four access ports, each frame is of a new flow of UDP", 1, Metric::opening, openings},
    {"openings-policy", "the same with ten stateful rules: each frame opens a connection", 1, Metric::opening,
     openings_by_policy},
    {"tunnels-64x16", "a NIC and 16 access ports, VXLAN from 64 nodes in 16 segments at random", 1, Metric::packet,
     unmarked},
    {"tunnels-64x16-marks", "the same, by a NIC that has marked what it matched", 1, Metric::packet, marked},
};

}  // namespace

std::span<const Case> cases() {
    return kCases;
}

const Case* find_case(std::string_view name) {
    const auto* found = std::ranges::find(kCases, name, &Case::name);
    return found == std::end(kCases) ? nullptr : found;
}

}  // namespace bulkhead::rig
