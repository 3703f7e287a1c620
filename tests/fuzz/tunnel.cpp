// SPDX-License-Identifier: Apache-2.0
// Hostile frames to a whole switch with tunnels. The input is a list of frames, each
//   one octet   bits 0 … 2 the port (modulo their number), 3 its lengths and checksums are made right, 4 it lies in
//               several buffers, 5 these are small, 6 the burst ends with it, 7 the NIC has a rule that matches it, if
//               it looks like one of a tunnel's, and marks it
//   two octets  its length, little end first; with bit 4 one more, that of the first buffer
//   the frame, or what is left of the input.
// Whatever comes out of a port or a tunnel must have come in by the same segment, with the group of its sender where
// both ends exchange groups, the books must balance and every buffer must have come back.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "tests/fuzz/fuzzed_port.h"
#include "tests/fuzz/outer.h"
#include "vswitch/offload/snapshot_watcher.h"
#include "vswitch/overlay/ring_probe.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/switch.h"

namespace bulkhead::fuzz {
namespace {

constexpr std::size_t kLongest = 1400;
constexpr unsigned kBlue = 100, kRed = 200, kGreen = 300;
/// Where ECN may change an inner header (RFC 6040), behind up to two tags: before the addresses.
constexpr std::size_t kMarkedFrom = 14, kMarkedTo = 34;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

struct PortSpec {
    const char *name, *mac;
    std::uint64_t nic_mac;
    std::uint16_t underlay_vlan;
    std::map<std::uint16_t, unsigned> segments;  ///< by VLAN, 0 for untagged: the VNI
    std::uint32_t offloads;
    const char* group = "";  ///< of the attachment that is untagged
};
const std::array<PortSpec, 5> kPorts = {{
    {"nic0", "02:00:00:00:00:aa", 0x0200'0000'00aa, 0, {}, kOffloadMultiSegment},
    {"nic1", "02:00:00:00:00:ab", 0x0200'0000'00ab, 7, {}, kOffloadMultiSegment},
    {"b1", "", 0, 0, {{0, kBlue}}, kOffloadMultiSegment, "web"},
    {"r1", "", 0, 0, {{0, kRed}}, 0},
    {"t1", "", 0, 0, {{10, kBlue}, {20, kRed}, {30, kGreen}}, kOffloadMultiSegment},
}};
constexpr const char* kGroup = "web";
constexpr GroupId kGroupId = 0x4142;
const std::map<unsigned, std::string> kSegments = {{kBlue, "blue"}, {kRed, "red"}, {kGreen, "green"}};

struct TunnelSpec {
    const char* name;
    std::size_t nic;
    const char *local, *remote;
    TunnelType type;
    std::vector<unsigned> vnis;
    Horizon horizon;
    bool has_checksum;
    bool trusts_groups;
    IpAddress from = *IpAddress::parse(local), to = *IpAddress::parse(remote);
};
constexpr std::uint64_t kRemoteMac = 0x0200'0000'00bb;
constexpr auto kVxlan = TunnelType::vxlan, kGeneve = TunnelType::geneve;
constexpr auto kMesh = Horizon::mesh, kSpoke = Horizon::spoke;
const std::array<TunnelSpec, 7> kTunnels = {{
    {"a", 0, "192.0.2.1", "192.0.2.2", kVxlan, {kBlue, kRed}, kMesh, false, true},
    {"b", 0, "192.0.2.1", "192.0.2.3", kVxlan, {kBlue}, kSpoke, true, true},
    {"c", 0, "192.0.2.1", "192.0.2.4", kGeneve, {kBlue, kRed}, kMesh, false, true},
    {"d", 0, "2001:db8::1", "2001:db8::2", kVxlan, {kBlue}, kMesh, true, false},
    {"e", 0, "2001:db8::1", "2001:db8::3", kGeneve, {kRed}, kSpoke, false, true},
    {"f", 1, "198.51.100.1", "198.51.100.2", kVxlan, {kBlue, kRed}, kSpoke, false, false},
    {"g", 1, "2001:db8:1::1", "2001:db8:1::2", kGeneve, {kBlue}, kMesh, true, false},
}};

Model model() {
    Model model;
    for (const auto& [vni, name] : kSegments)
        model.segments[name] = {.owner = {}, .name = name, .vni = vni, .tenant = {}};
    model.groups[{"blue", kGroup}] = {.owner = {}, .segment = "blue", .name = kGroup, .id = kGroupId};
    for (const PortSpec& spec : kPorts) {
        Port& port = model.ports[spec.name];
        port.name = spec.name;
        for (const auto& [vlan, vni] : spec.segments)
            port.attachments.push_back({.vlan = vlan == 0 ? std::nullopt : std::optional(vlan),
                                        .segment = kSegments.at(vni),
                                        .group = spec.group,
                                        .macs = {}});
    }
    model.underlays["u0"] = {.name = "u0", .port = "nic0"};
    model.underlays["u0"].addresses = {*IpPrefix::parse("192.0.2.1/24"), *IpPrefix::parse("2001:db8::1/64")};
    model.underlays["u1"] = {.name = "u1", .port = "nic1", .vlan = kPorts[1].underlay_vlan};
    model.underlays["u1"].addresses = {*IpPrefix::parse("198.51.100.1/24"), *IpPrefix::parse("2001:db8:1::1/64")};
    for (const TunnelSpec& spec : kTunnels) {
        const std::string underlay = spec.nic == 0 ? "u0" : "u1";
        Tunnel& tunnel = model.tunnels[spec.name];
        tunnel = {.name = spec.name, .type = spec.type, .underlay = underlay, .remote = spec.to};
        for (const unsigned vni : spec.vnis) tunnel.segments.push_back(kSegments.at(vni));
        tunnel.dst_port = spec.type == kVxlan ? kVxlanPort : kGenevePort;
        tunnel.horizon = spec.horizon;
        tunnel.udp_checksum = spec.has_checksum;
        tunnel.trust_groups = spec.trusts_groups;
        model.underlays[underlay].neighbors.push_back({spec.to, MacAddress(kRemoteMac)});
    }
    return model;
}

/// What one frame is to the switch: something of a segment, if it is anything.
struct Given {
    unsigned vni = 0;  ///< 0: of none
    const TunnelSpec* tunnel = nullptr;
    std::size_t port = 0;
    bool may_be_marked = false;
    GroupId group = kNoGroupId;
    std::vector<std::uint8_t> frame;  ///< as it is in the segment
};

std::uint16_t type_of(Octets frame) {
    return frame.size() < kEthernetHeader ? 0 : load_big_endian<std::uint16_t>(&frame[kMacPair]);
}

/// The tag off, if there is one; its VLAN, or 0.
std::uint16_t untag(std::vector<std::uint8_t>& frame) {
    if (type_of(frame) != kEtherTypeVlan || frame.size() < kEthernetHeader + kVlanTag) return 0;
    const std::uint16_t vlan = load_big_endian<std::uint16_t>(&frame[kEthernetHeader]) & 0xfff;
    frame.erase(frame.begin() + kMacPair, frame.begin() + kMacPair + kVlanTag);
    return vlan;
}

bool carries(const TunnelSpec& tunnel, unsigned vni) {
    return std::ranges::find(tunnel.vnis, vni) != tunnel.vnis.end();
}

Given given(std::size_t port, const std::vector<std::uint8_t>& frame) {
    Given all{.port = port};
    const PortSpec& spec = kPorts[port];
    if (spec.nic_mac == 0) {
        all.frame = frame;
        const auto segment = spec.segments.find(untag(all.frame));
        if (segment != spec.segments.end()) all.vni = segment->second;
        if (*spec.group != '\0') all.group = kGroupId;
        return all;
    }
    const auto outer = read_outer(frame);
    if (!outer || outer->vlan != spec.underlay_vlan) return all;
    if (outer->destination_mac != spec.nic_mac && (outer->destination_mac >> 40 & 1) == 0) return all;
    for (const TunnelSpec& tunnel : kTunnels) {
        if (tunnel.nic != port || tunnel.type != outer->type || tunnel.to != outer->source) continue;
        // An address of ours, if not the one that this tunnel speaks from.
        if (std::ranges::find(kTunnels, outer->destination, &TunnelSpec::from) == kTunnels.end()) continue;
        if (!carries(tunnel, outer->vni)) continue;
        if (!outer->has_checksum && tunnel.has_checksum && !tunnel.from.is_v4()) continue;
        all.vni = outer->vni;
        all.tunnel = &tunnel;
        all.may_be_marked = outer->ecn != 0;
        all.group = tunnel.trusts_groups ? outer->group : kNoGroupId;
        all.frame.assign(outer->inner.begin(), outer->inner.end());
    }
    return all;
}

bool is_alike(const Given& in, Octets out) {
    if (in.frame.size() != out.size()) return false;
    for (std::size_t at = 0; at < out.size(); ++at)
        if (in.frame[at] != out[at] && (!in.may_be_marked || at < kMarkedFrom || at >= kMarkedTo)) return false;
    return true;
}

/// What a node that saw a flood twice asks its neighbours, in the segment of the flood.
bool is_ring_probe_in_tunnel(Octets frame) {
    const auto outer = read_outer(frame);
    if (!outer || outer->inner.size() < kEthernetHeader) return false;
    return is_ring_probe(load_big_endian<std::uint64_t>(outer->inner.data()) >> 16, type_of(outer->inner));
}

/// What the node says of its own accord: ARP or ICMP, not for a segment to see, or a probe for other nodes.
bool is_of_node(Octets frame) {
    if (is_ring_probe_in_tunnel(frame)) return true;
    const std::size_t at = type_of(frame) == kEtherTypeVlan ? kEthernetHeader + kVlanTag : kEthernetHeader;
    if (frame.size() < at + 20) return false;
    const auto type = load_big_endian<std::uint16_t>(&frame[at - 2]);
    return type == 0x0806 || (type == kEtherTypeIpv4 && frame[at + 9] == 1) ||
           (type == kEtherTypeIpv6 && frame[at + 6] == 58);
}

rte_mempool* pool(const char* name) {
    rte_mempool* made = rte_pktmbuf_pool_create(name, 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    require(made != nullptr, "no buffers");
    return made;
}

/// Marks as a NIC gives them that looks at the outer addresses, the UDP port and the VNI, and at nothing else.
class Marks final : public SnapshotWatcher {
  public:
    Result<> before_publish(const Snapshot&) override { return {}; }
    void after_publish(const Snapshot& now) override {
        for (AttachmentIndex index = 0; index < now.attachments.size(); ++index) {
            const auto& entry = now.attachments[index];
            if (const auto& tunnel = now.ports[entry.port].tunnel; tunnel && now.marks[index].mark != kNoMark)
                known_.push_back({tunnel->nic, now.marks[index].ip, tunnel->local, tunnel->remote, tunnel->udp_port,
                                  entry.vni, now.marks[index].mark});
        }
        for (PortIndex port = 0; port < now.ports.size(); ++port)
            if (now.ports[port].underlay) nics_.push_back(port);
    }

    /// `nic`: which of those with an underlay, in the order of their names.
    [[nodiscard]] FlowMark of(std::size_t nic, Octets frame) const {
        for (const Known& rule : known_) {
            const std::size_t udp = rule.ip + 20U;
            if (rule.nic != nics_.at(nic) || frame.size() < udp + 15) continue;
            if (IpAddress::from_v4(&frame[rule.ip + 12U]) == rule.remote &&
                IpAddress::from_v4(&frame[rule.ip + 16U]) == rule.local &&
                load_big_endian<std::uint16_t>(&frame[udp + 2]) == rule.udp_port &&
                load_big_endian<std::uint32_t>(&frame[udp + 11]) % (1U << 24) == rule.vni && is_ours(frame, rule))
                return rule.mark;
        }
        return kNoMark;
    }

  private:
    struct Known {
        PortIndex nic;
        std::uint16_t ip;
        IpAddress local, remote;
        std::uint16_t udp_port;
        std::uint32_t vni;
        FlowMark mark;
    };
    /// What else it is asked to match: our MAC, the VLAN, IPv4, UDP.
    static bool is_ours(Octets frame, const Known& rule) {
        const PortSpec& spec = kPorts[rule.ip == kEthernetHeader ? 0 : 1];
        if (load_big_endian<std::uint64_t>(frame.data()) >> 16 != spec.nic_mac) return false;
        if (load_big_endian<std::uint16_t>(&frame[rule.ip - 2U]) != kEtherTypeIpv4) return false;
        if (rule.ip != kEthernetHeader && (type_of(frame) != kEtherTypeVlan ||
                                           (load_big_endian<std::uint16_t>(&frame[14]) & 0xfff) != spec.underlay_vlan))
            return false;
        return frame[rule.ip] >> 4 == 4 && frame[rule.ip + 9U] == 17;
    }

    std::vector<Known> known_;
    std::vector<PortIndex> nics_;
};

/// Made once: an input finds the switch as the last one found it, with no station known.
class Target {
  public:
    Target() {
        for (std::size_t at = 0; at < kPorts.size(); ++at)
            ports_[at] = std::make_unique<FuzzedPort>(received_, kPorts[at].mac, kPorts[at].offloads);
        SwitchSettings settings{.workers = 1, .buffers = own_, .mac_capacity = 1U << 10};
        settings.clock_s = [] { return 1000U; };
        settings.clock_ms = [] { return 1'000'000ULL; };
        switch_ = Switch::create(settings).value();
        switch_->set_watcher(&marks_);
        std::map<std::string, PortIo*> open;
        for (std::size_t at = 0; at < kPorts.size(); ++at) open[kPorts[at].name] = ports_[at].get();
        require(switch_->apply(model(), open).has_value(), "the model");
        switch_->set_watcher(nullptr);
        rest();
        for (auto& port : ports_) (void)port->take();
        free_ = rte_mempool_avail_count(received_) + rte_mempool_avail_count(own_);
    }

    void run(Octets input) {
        while (input.size() > 3) {
            const std::uint8_t step = input[0];
            std::size_t length = std::min<std::size_t>(input[1] | input[2] << 8, kLongest), first = length;
            input = input.subspan(3);
            if ((step & 0x10) != 0) {
                first = input[0];
                input = input.subspan(1);
            }
            length = std::min(length, input.size());
            frame(step, input.first(length), first);
            input = input.subspan(length);
            if ((step & 0x40) != 0) burst();
        }
        burst();
        rest();
    }

  private:
    void frame(std::uint8_t step, Octets octets, std::size_t first) {
        const std::size_t port = (step & 7U) % kPorts.size();
        std::vector<std::uint8_t> frame(octets.begin(), octets.end());
        if ((step & 0x08) != 0) repair(frame);
        const bool has_nic = kPorts[port].nic_mac != 0;
        const FlowMark mark = (step & 0x80) != 0 && has_nic ? marks_.of(port, frame) : kNoMark;
        ports_[port]->inject(frame, first, (step & 0x20) != 0 ? 48 : kLongest, mark);
        givens_.push_back(given(port, frame));
    }

    void burst() {
        do switch_->run_worker_once(0);
        while (std::ranges::any_of(ports_, [](const auto& port) { return port->has_incoming(); }));
        for (std::size_t at = 0; at < kPorts.size(); ++at)
            for (auto& frame : ports_[at]->take()) check(at, frame);
        givens_.clear();
    }

    void check(std::size_t port, std::vector<std::uint8_t>& frame) {
        const PortSpec& spec = kPorts[port];
        if (spec.nic_mac != 0) return check_tunnelled(port, frame);
        const auto segment = spec.segments.find(untag(frame));
        require(segment != spec.segments.end(), "a frame with a tag that its port has not");
        const auto is_explained_by = [&](const Given& in) {
            return in.vni == segment->second && in.port != port && is_alike(in, frame);
        };
        require(std::ranges::any_of(givens_, is_explained_by), "a port sent what its segment was not given");
    }

    void check_tunnelled(std::size_t port, const std::vector<std::uint8_t>& frame) {
        if (is_of_node(frame)) return;
        const auto outer = read_outer(frame);
        require(outer.has_value(), "a NIC sent what is no tunnelled frame");
        const auto tunnel = std::ranges::find_if(kTunnels, [&](const TunnelSpec& spec) {
            return spec.nic == port && spec.to == outer->destination && spec.from == outer->source &&
                   spec.type == outer->type;
        });
        require(tunnel != kTunnels.end() && carries(*tunnel, outer->vni), "a frame in a tunnel that is not its");
        require(outer->source_mac == kPorts[port].nic_mac && outer->destination_mac == kRemoteMac &&
                    outer->vlan == kPorts[port].underlay_vlan && outer->has_checksum == tunnel->has_checksum,
                "an outer header");
        require(tunnel->trusts_groups || outer->is_bare, "a group for whom it is not");
        require(std::ranges::any_of(givens_,
                                    [&](const Given& in) {
                                        return in.vni == outer->vni && in.tunnel != &*tunnel &&
                                               (!tunnel->trusts_groups || in.group == outer->group) &&
                                               (in.tunnel == nullptr || in.tunnel->horizon == kSpoke ||
                                                tunnel->horizon == kSpoke) &&
                                               is_alike(in, outer->inner);
                                    }),
                "a tunnel carried what its segment was not given");
    }

    /// The node says what it has to say, and nothing is left of the input.
    void rest() {
        switch_->serve_underlays();
        switch_->run_worker_once(0);
        for (std::size_t at = 0; at < kPorts.size(); ++at)
            for (const auto& frame : ports_[at]->take()) require(is_of_node(frame), "a frame from nowhere");
        (void)switch_->take_overlay_events();
        if (switch_->mac_count() != 0) switch_->flush_macs({});
        (void)switch_->take_events();
        const WorkerStats books = switch_->worker_stats(0);
        const std::uint64_t dropped = std::accumulate(books.drops.begin(), books.drops.end(), std::uint64_t{0});
        require(books.received + books.originated + books.copies ==
                    books.transmitted + books.consumed + dropped + books.held,
                "the books");
        require(free_ == 0 || free_ == rte_mempool_avail_count(received_) + rte_mempool_avail_count(own_),
                "a buffer did not come back");
    }

    rte_mempool* received_ = pool("received");
    rte_mempool* own_ = pool("own");
    unsigned free_ = 0;
    std::array<std::unique_ptr<FuzzedPort>, kPorts.size()> ports_;
    Marks marks_;
    std::unique_ptr<Switch> switch_;
    std::vector<Given> givens_;
};

Target* target = nullptr;  // lives until the process ends, as EAL does

}  // namespace
}  // namespace bulkhead::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    char program[] = "fuzz", no_huge[] = "--no-huge", memory[] = "--no-shconf", no_pci[] = "--no-pci",
         telemetry[] = "--no-telemetry", size_flag[] = "-m", size[] = "128", lcores[] = "--lcores=0@0",
         quiet[] = "--log-level=4";
    char* arguments[] = {program, no_huge, memory, no_pci, telemetry, size_flag, size, lcores, quiet};
    bulkhead::fuzz::require(rte_eal_init(static_cast<int>(std::size(arguments)), arguments) >= 0, "no EAL");
    bulkhead::fuzz::target = new bulkhead::fuzz::Target;
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bulkhead::fuzz::target->run({data, size});
    return 0;
}
