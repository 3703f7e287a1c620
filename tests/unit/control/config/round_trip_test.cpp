// SPDX-License-Identifier: Apache-2.0
// decode(encode(x)) == x, for many random models and nodes.
#include <random>

#include <gtest/gtest.h>

#include "control/config/config_document.h"
#include "control/config/object_json.h"
#include "vswitch/model/validate.h"

namespace bulkhead::config {
namespace {

class RandomModel {
  public:
    explicit RandomModel(unsigned seed) : random_(seed) {}

    ConfigDocument make() {
        ConfigDocument document;
        if (chance()) document.node = node();
        const unsigned segments = below(8);
        for (unsigned i = 0; i < segments; ++i) {
            Segment segment = make_segment(i);
            for (unsigned n = below(3); n > 0; --n) {
                const Group group{.owner = owner(),
                                  .segment = segment.name,
                                  .name = "g" + std::to_string(n),
                                  .id = static_cast<std::uint16_t>(n)};
                document.model.groups.emplace(std::pair(group.segment, group.name), group);
            }
            document.model.segments.emplace(segment.name, segment);
        }
        groups_ = document.model.groups;
        for (unsigned i = 0, ports = below(10); i < ports; ++i) {
            Port port = make_port(i, segments);
            for (const Attachment& attachment : port.attachments) {
                if (!chance()) continue;
                StaticMac entry{.owner = owner(), .segment = attachment.segment, .mac = next_mac(), .port = port.name};
                document.model.static_macs.emplace(std::pair(entry.segment, entry.mac), entry);
            }
            document.model.ports.emplace(port.name, std::move(port));
        }
        for (const auto& [name, segment] : document.model.segments)
            for (unsigned n = below(4); n > 0; --n) add_policy(document.model, name, n);
        for (unsigned i = 0, underlays = below(3); i < underlays; ++i) add_underlay(document.model, i);
        return document;
    }

  private:
    unsigned below(unsigned bound) { return std::uniform_int_distribution<unsigned>(0, bound - 1)(random_); }
    bool chance() { return below(2) == 0; }
    std::string owner() { return std::array{"", "file", "cni"}[below(3)]; }
    MacAddress next_mac() { return MacAddress(0x020000000000ULL + ++macs_); }
    static std::string segment_name(unsigned i) { return "segment-" + std::to_string(i); }

    Segment make_segment(unsigned i) {
        Segment segment;
        segment.name = segment_name(i);
        segment.owner = owner();
        segment.vni = i + 1;
        segment.mtu = static_cast<std::uint16_t>(kMinMtu + below(kMaxMtu - kMinMtu));
        segment.flood = static_cast<FloodMode>(below(3));
        segment.mac_limit = below(kMaxMacLimit);
        segment.mac_age_s = 1 + below(1000);
        if (chance()) segment.tenant = "acme";
        if (chance()) segment.default_policy = DefaultPolicy::deny;
        return segment;
    }

    Attachment attachment(unsigned segment) {
        Attachment result{.vlan = {}, .segment = segment_name(segment), .macs = {}};
        for (unsigned n = below(3); n > 0; --n) result.macs.push_back(next_mac());
        result.isolated = chance();
        if (chance() && groups_.contains({result.segment, "g1"})) result.group = "g1";
        return result;
    }

    Port make_port(unsigned i, unsigned segments) {
        Port port;
        port.name = "port-" + std::to_string(i);
        port.owner = owner();
        port.queues = static_cast<std::uint16_t>(1 + below(kMaxQueues));
        if (chance()) port.mtu = static_cast<std::uint16_t>(kMinMtu + below(1000));
        for (unsigned n = below(3); n > 0; --n) port.workers.push_back(static_cast<std::uint16_t>(below(kMaxWorkers)));
        for (auto limit : {&PortLimits::rx_mbps, &PortLimits::tx_mbps, &PortLimits::storm_pps, &PortLimits::connections,
                           &PortLimits::mac_moves_per_s})
            if (chance()) port.limits.*limit = 1 + below(1000);
        if (port.limits.rx_mbps && chance()) port.limits.burst_kib = 1 + below(1000);
        port.device = device(i);
        unsigned next = 0;
        if (segments > 0 && chance()) port.attachments.push_back(attachment(next++));
        const bool is_access = !port.attachments.empty() && chance();
        if (is_access) port.attachments[0].tagged = TaggedFrames::carry;
        for (; !is_access && next < segments; ++next) {
            Attachment tagged = attachment(next);
            tagged.vlan = static_cast<std::uint16_t>(10 * (next + 1));
            tagged.keep_tag = chance();
            tagged.tagged = chance() ? TaggedFrames::carry : TaggedFrames::drop;
            port.attachments.push_back(std::move(tagged));
        }
        return port;
    }

    decltype(Port::device) device(unsigned i) {
        const std::string number = std::to_string(i);
        auto maybe = [this](unsigned bound) { return chance() ? std::optional(below(bound)) : std::nullopt; };
        auto mac = chance() ? std::optional(next_mac()) : std::nullopt;
        switch (below(3)) {
            case 0:
                return EthdevDevice{.devargs = "net_null" + number, .mac = mac, .promiscuous = chance()};
            case 1:
                return TapDevice{.netns = chance() ? "" : "/run/netns/x",
                                 .ifname = "tap" + number,
                                 .mac = mac,
                                 .owner_uid = maybe(9)};
            default: {
                VhostUserDevice vhost{.path = "/run/" + number, .owner_uid = {}, .owner_gid = {}, .socket_mode = {}};
                if (chance()) {
                    vhost.mode = VhostMode::server;
                    vhost.owner_uid = maybe(100'000);
                    vhost.owner_gid = maybe(100'000);
                    vhost.socket_mode = maybe(01000);
                }
                return vhost;
            }
        }
    }

    // A NIC, an underlay on it and a tunnel or two; large enough for every segment.
    void add_underlay(Model& model, unsigned i) {
        const std::string number = std::to_string(i), network = "10." + number + ".0.";
        Port nic;
        nic.name = "nic-" + number;
        nic.device = EthdevDevice{.devargs = "net_null_nic" + number, .mac = {}};
        Underlay underlay;
        underlay.name = "u" + number;
        underlay.owner = owner();
        underlay.port = nic.name;
        underlay.addresses = {*IpPrefix::parse(network + "1/24")};
        underlay.mtu = kMaxMtu;
        if (chance()) underlay.addresses.push_back(*IpPrefix::parse("2001:db8:" + number + "::1/64"));
        if (chance()) underlay.gateways = {*IpAddress::parse(network + "254")};
        if (chance()) underlay.vlan = static_cast<std::uint16_t>(1 + below(4094));
        if (chance()) underlay.neighbors = {{*IpAddress::parse(network + "9"), next_mac()}};
        for (unsigned n = below(3); n > 0; --n) add_tunnel(model, underlay, network + std::to_string(n + 1), n);
        model.ports.emplace(nic.name, nic);
        model.underlays.emplace(underlay.name, underlay);
    }

    void add_tunnel(Model& model, const Underlay& underlay, const std::string& remote, unsigned number) {
        Tunnel tunnel;
        tunnel.name = underlay.name + "-" + std::to_string(number);
        tunnel.owner = owner();
        tunnel.type = chance() ? TunnelType::vxlan : TunnelType::geneve;
        tunnel.underlay = underlay.name;
        tunnel.trust_groups = chance();
        if (chance()) tunnel.keepalive_ms = 50 + below(1000);
        tunnel.remote = *IpAddress::parse(remote);
        tunnel.dst_port = tunnel.type == TunnelType::vxlan ? kVxlanPort : static_cast<std::uint16_t>(6000 + below(9));
        tunnel.horizon = chance() ? Horizon::mesh : Horizon::spoke;
        tunnel.ttl = static_cast<std::uint8_t>(1 + below(255));
        if (chance()) tunnel.dscp.reset();
        tunnel.udp_checksum = chance();
        for (const auto& [name, segment] : model.segments) {
            if (segment.mtu > kMaxMtu - 50 || !chance()) continue;
            tunnel.segments.push_back(name);
            const StaticMac entry{.owner = owner(),
                                  .segment = name,
                                  .mac = next_mac(),
                                  .port = {},
                                  .tunnel = tunnel.name,
                                  .ips = {IpAddress::v4(0x0a090000 + static_cast<std::uint32_t>(macs_))}};
            model.static_macs.emplace(std::pair(entry.segment, entry.mac), entry);
        }
        model.tunnels.emplace(tunnel.name, tunnel);
    }

    PolicyEnd policy_end(const std::string& segment) {
        PolicyEnd end;
        for (const char* name : {"g1", "g2"})
            if (chance() && groups_.contains({segment, name})) end.groups.emplace_back(name);
        if (chance()) end.ips = {*IpPrefix::parse("10.1.0.9/16"), *IpPrefix::parse("2001:db8::/32")};
        if (chance()) end.macs = {next_mac(), next_mac()};
        return end;
    }

    void add_policy(Model& model, const std::string& segment, unsigned number) {
        Policy policy;
        policy.owner = owner();
        policy.segment = segment;
        policy.name = "rule-" + std::to_string(number);
        policy.order = below(kMaxPolicyOrder + 1);
        policy.from = policy_end(segment);
        policy.to = policy_end(segment);
        if (chance()) policy.ethertype = std::array<std::uint16_t, 2>{0x0800, 0x86dd}[below(2)];
        switch (below(4)) {
            case 0:
                policy.protocol = std::array<std::uint8_t, 3>{6, 17, 132}[below(3)];
                for (std::uint16_t n = static_cast<std::uint16_t>(below(4)); n > 0; --n) {
                    const auto first = static_cast<std::uint16_t>(1000 * n + below(500));
                    policy.src_ports.push_back({.first = first, .last = first});
                    policy.dst_ports.push_back(
                        {.first = first, .last = static_cast<std::uint16_t>(first + below(500))});
                }
                break;
            case 1:
                policy.protocol = std::array<std::uint8_t, 2>{1, 58}[below(2)];
                policy.icmp_types = {static_cast<std::uint8_t>(below(128)), 255};
                break;
            case 2:
                policy.protocol = static_cast<std::uint8_t>(below(256));
                break;
            default:
                break;
        }
        policy.action = chance() ? PolicyAction::allow : PolicyAction::deny;
        for (const auto& [name, port] : model.ports) {
            if (!chance() || port.attachments.empty() || port.attachments[0].segment != segment) continue;
            policy.action = PolicyAction::redirect;
            policy.to_port = name;
        }
        policy.stateful = chance();
        model.policies.emplace(std::pair(segment, policy.name), policy);
    }

    Node node() {
        Node node;
        if (chance()) node.name = "edge-1";
        node.cores = std::array{"1", "2-5", "1,3"}[below(3)];
        node.memory_mib = 64 + below(1000);
        node.hugepages = static_cast<Hugepages>(below(4));
        if (chance()) node.eal_args = {"--iova-mode", "va"};
        node.idle_mode = chance() ? IdleMode::busy : IdleMode::adaptive;
        node.max_sleep_us = 1 + below(1000);
        if (chance()) node.roles.push_back({.uid = 1001, .group = {}, .role = Role::tenant, .tenant = "acme"});
        if (chance()) node.roles.push_back({.uid = {}, .group = "bulkhead", .role = Role::operator_, .tenant = {}});
        if (chance()) node.roles.push_back({.uid = {}, .group = 7U, .role = Role::viewer, .tenant = {}});
        if (chance()) node.netns_roots = {"/a", "/b"};
        if (chance()) node.vhost_roots.clear();
        return node;
    }

    std::mt19937 random_;
    std::uint64_t macs_ = 0;
    std::map<std::pair<std::string, std::string>, Group> groups_;
};

TEST(RoundTrip, EveryDocumentComesBackAsItWas) {
    std::size_t objects = 0, tunnels = 0, rules = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        SCOPED_TRACE(seed);
        const ConfigDocument document = RandomModel(seed).make();
        auto valid = validate(document.model);
        ASSERT_TRUE(valid) << valid.error().message;
        // Through text, as it travels.
        auto decoded = decode_document(nlohmann::json::parse(encode_document(document).dump()));
        ASSERT_TRUE(decoded) << decoded.error().field << " " << decoded.error().message;
        EXPECT_EQ(decoded->model, document.model);
        EXPECT_EQ(decoded->node, document.node);
        tunnels += document.model.tunnels.size();
        rules += document.model.policies.size();
        objects += document.model.ports.size() + document.model.segments.size() + document.model.static_macs.size();
    }
    EXPECT_GT(objects, 3000U);
    EXPECT_GT(tunnels, 200U);
    EXPECT_GT(rules, 1000U);
}

}  // namespace
}  // namespace bulkhead::config
