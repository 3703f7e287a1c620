// SPDX-License-Identifier: Apache-2.0
// What underlays, tunnels and entries behind tunnels must keep, one line each.
#include <functional>
#include <span>

#include <gtest/gtest.h>

#include "vswitch/model/validate.h"

namespace bulkhead {
namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
IpPrefix cidr(const char* text) {
    return *IpPrefix::parse(text);
}
MacAddress mac(const char* text) {
    return *MacAddress::parse(text);
}

Port nic(const std::string& name) {
    Port port;
    port.name = name;
    port.device = EthdevDevice{.devargs = "net_" + name, .mac = {}};
    return port;
}

// u0 with both families and an IPv4 gateway, u1 with IPv4 alone; edge-2 on the link, edge-3 beyond the gateway, edge-6
// over IPv6; red is larger than blue.
Model good_model() {
    Model model;
    for (auto [name, vni, mtu] : {std::tuple{"blue", 100U, 1400}, std::tuple{"red", 200U, 1450}}) {
        Segment segment;
        segment.name = name;
        segment.vni = vni;
        segment.mtu = static_cast<std::uint16_t>(mtu);
        model.segments[name] = segment;
    }
    for (const char* name : {"nic0", "nic1", "nic2"}) model.ports[name] = nic(name);
    Port pod;
    pod.name = "pod";
    pod.device = TapDevice{.netns = "", .ifname = "net1", .mac = {}, .owner_uid = {}};
    pod.attachments = {{.vlan = {}, .segment = "blue", .macs = {mac("02:00:00:00:00:01")}}};
    model.ports["pod"] = pod;

    Underlay u0, u1;
    u0.name = "u0";
    u0.port = "nic0";
    u0.addresses = {cidr("192.0.2.1/24"), cidr("2001:db8::1/64")};
    u0.gateways = {ip("192.0.2.254")};
    u0.neighbors = {{ip("192.0.2.2"), mac("02:00:00:00:02:02")}};
    u1.name = "u1";
    u1.port = "nic1";
    u1.addresses = {cidr("198.51.100.1/24")};
    model.underlays = {{"u0", u0}, {"u1", u1}};

    for (auto [name, remote] :
         {std::pair{"edge-2", "192.0.2.2"}, {"edge-3", "203.0.113.3"}, {"edge-6", "2001:db8::6"}}) {
        Tunnel tunnel;
        tunnel.name = name;
        tunnel.underlay = "u0";
        tunnel.remote = ip(remote);
        tunnel.segments = {"blue"};
        model.tunnels[name] = tunnel;
    }
    model.tunnels["edge-2"].segments = {"blue", "red"};
    model.static_macs[{"blue", mac("02:00:00:00:00:09")}] = {.owner = {},
                                                             .segment = "blue",
                                                             .mac = mac("02:00:00:00:00:09"),
                                                             .port = {},
                                                             .tunnel = "edge-2",
                                                             .ips = {ip("10.1.0.9"), ip("2001:db8:1::9")}};
    return model;
}

struct BadModel {
    const char* what;
    std::function<void(Model&)> spoil;
    const char* object;  // kind and name
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

void expect_refusals(std::span<const BadModel> models) {
    for (const BadModel& bad : models) {
        SCOPED_TRACE(bad.what);
        Model model = good_model();
        bad.spoil(model);
        auto result = validate(model);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, bad.code);
        EXPECT_EQ(result.error().object_kind + " " + result.error().object_name, bad.object);
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
        EXPECT_FALSE(result.error().message.empty());
        EXPECT_FALSE(result.error().allowed.empty());
    }
}

Underlay& u0(Model& m) {
    return m.underlays["u0"];
}

void add_u2(Model& m) {
    Underlay u2 = m.underlays["u1"];
    u2.name = "u2";
    u2.port = "nic2";
    u2.addresses = {cidr("10.9.0.1/24")};
    m.underlays["u2"] = u2;
}

const BadModel kBadUnderlays[] = {
    {"name", [](Model& m) { u0(m).name = "-"; }, "underlay -", "/name"},
    {"owner", [](Model& m) { u0(m).owner = "a b"; }, "underlay u0", "/owner"},
    {"no port", [](Model& m) { u0(m).port = "nowhere"; }, "underlay u0", "/port", ErrorCode::not_found},
    {"a pod's port", [](Model& m) { u0(m).port = "pod"; }, "underlay u0", "/port"},
    {"a port with segments",
     [](Model& m) { m.ports["nic0"].attachments = m.ports["pod"].attachments, m.ports.erase("pod"); }, "underlay u0",
     "/port"},
    {"a port of two", [](Model& m) { m.underlays["u1"].port = "nic0"; }, "underlay u1", "/port"},
    {"a port with limits", [](Model& m) { m.ports["nic0"].limits.rx_mbps = 10; }, "underlay u0", "/port"},
    {"a port of smaller frames", [](Model& m) { m.ports["nic0"].mtu = 1499; }, "underlay u0", "/mtu"},
    {"three", add_u2, "underlay u2", "", ErrorCode::limit},
    {"no address", [](Model& m) { u0(m).addresses.clear(); }, "underlay u0", "/addresses"},
    {"multicast", [](Model& m) { u0(m).addresses[0] = cidr("224.0.0.1/24"); }, "underlay u0", "/addresses/0"},
    {"unspecified", [](Model& m) { u0(m).addresses[1] = cidr("::/64"); }, "underlay u0", "/addresses/1"},
    {"loopback", [](Model& m) { u0(m).addresses[0] = cidr("127.0.0.1/8"); }, "underlay u0", "/addresses/0"},
    {"the network itself", [](Model& m) { u0(m).addresses[0] = cidr("192.0.2.0/24"); }, "underlay u0", "/addresses/0"},
    {"the network's broadcast", [](Model& m) { u0(m).addresses[0] = cidr("192.0.2.255/24"); }, "underlay u0",
     "/addresses/0"},
    {"the routers' anycast", [](Model& m) { u0(m).addresses[1] = cidr("2001:db8::/64"); }, "underlay u0",
     "/addresses/1"},
    {"an address twice", [](Model& m) { u0(m).addresses.push_back(cidr("192.0.2.1/16")); }, "underlay u0",
     "/addresses/2"},
    {"an address of the other", [](Model& m) { m.underlays["u1"].addresses.push_back(cidr("192.0.2.1/28")); },
     "underlay u1", "/addresses/1"},
    {"a gateway elsewhere", [](Model& m) { u0(m).gateways[0] = ip("192.0.3.254"); }, "underlay u0", "/gateways/0"},
    {"a gateway of no family", [](Model& m) { m.underlays["u1"].gateways = {ip("2001:db8::fe")}; }, "underlay u1",
     "/gateways/0"},
    {"a broadcast gateway", [](Model& m) { u0(m).gateways[0] = ip("192.0.2.255"); }, "underlay u0", "/gateways/0"},
    {"two IPv4 gateways", [](Model& m) { u0(m).gateways.push_back(ip("192.0.2.253")); }, "underlay u0", "/gateways/1"},
    {"itself as gateway", [](Model& m) { u0(m).gateways[0] = ip("192.0.2.1"); }, "underlay u0", "/gateways/0"},
    {"VLAN 0", [](Model& m) { u0(m).vlan = 0; }, "underlay u0", "/vlan"},
    {"VLAN 4095", [](Model& m) { u0(m).vlan = 4095; }, "underlay u0", "/vlan"},
    {"small MTU with IPv6", [](Model& m) { u0(m).mtu = 1279; }, "underlay u0", "/mtu"},
    {"small MTU", [](Model& m) { m.underlays["u1"].mtu = 67; }, "underlay u1", "/mtu"},
    {"large MTU", [](Model& m) { u0(m).mtu = 9217; }, "underlay u0", "/mtu"},
    {"long host_tap", [](Model& m) { u0(m).host_tap = "sixteen-letters-"; }, "underlay u0", "/host_tap"},
    {"host_tap of a port", [](Model& m) { u0(m).host_tap = "net1"; }, "underlay u0", "/host_tap"},
    {"host_tap of two", [](Model& m) { u0(m).host_tap = m.underlays["u1"].host_tap = "bh-host0"; }, "underlay u1",
     "/host_tap"},
    {"a neighbour elsewhere", [](Model& m) { u0(m).neighbors[0].ip = ip("198.51.100.9"); }, "underlay u0",
     "/neighbors/0/ip"},
    {"itself as neighbour", [](Model& m) { u0(m).neighbors[0].ip = ip("2001:db8::1"); }, "underlay u0",
     "/neighbors/0/ip"},
    {"a group as neighbour", [](Model& m) { u0(m).neighbors[0].mac = mac("01:00:00:00:00:01"); }, "underlay u0",
     "/neighbors/0/mac"},
    {"a neighbour twice", [](Model& m) { u0(m).neighbors.push_back({ip("192.0.2.2"), mac("02:00:00:00:00:03")}); },
     "underlay u0", "/neighbors/1/ip"},
};

Tunnel& edge2(Model& m) {
    return m.tunnels["edge-2"];
}

void add_tunnel(Model& m, const char* remote, TunnelType type, std::uint16_t port = 0) {
    Tunnel tunnel = edge2(m);
    tunnel.name = "zeta";
    tunnel.type = type;
    tunnel.remote = ip(remote);
    tunnel.dst_port = port != 0 ? port : type == TunnelType::vxlan ? kVxlanPort : kGenevePort;
    m.tunnels["zeta"] = tunnel;
}

const BadModel kBadTunnels[] = {
    {"name", [](Model& m) { edge2(m).name = "a/b"; }, "tunnel a/b", "/name"},
    {"owner", [](Model& m) { edge2(m).owner = "."; }, "tunnel edge-2", "/owner"},
    {"no underlay", [](Model& m) { edge2(m).underlay = "u9"; }, "tunnel edge-2", "/underlay", ErrorCode::not_found},
    {"to itself", [](Model& m) { edge2(m).remote = ip("192.0.2.1"); }, "tunnel edge-2", "/remote"},
    {"to itself over the other", [](Model& m) { edge2(m).remote = ip("198.51.100.1"); }, "tunnel edge-2", "/remote"},
    {"to a group", [](Model& m) { edge2(m).remote = ip("239.1.1.1"); }, "tunnel edge-2", "/remote"},
    {"to nobody", [](Model& m) { edge2(m).remote = ip("0.0.0.0"); }, "tunnel edge-2", "/remote"},
    {"to a broadcast", [](Model& m) { edge2(m).remote = ip("192.0.2.255"); }, "tunnel edge-2", "/remote"},
    {"IPv6 where there is none", [](Model& m) { m.tunnels["edge-6"].underlay = "u1"; }, "tunnel edge-6", "/remote"},
    {"beyond, with no gateway", [](Model& m) { u0(m).gateways.clear(); }, "tunnel edge-3", "/remote"},
    {"beyond, with a gateway of the other family", [](Model& m) { m.tunnels["edge-6"].remote = ip("2001:db9::1"); },
     "tunnel edge-6", "/remote"},
    {"remote taken", [](Model& m) { add_tunnel(m, "192.0.2.2", TunnelType::vxlan); }, "tunnel zeta", "/remote"},
    {"remote taken by another type", [](Model& m) { add_tunnel(m, "192.0.2.2", TunnelType::geneve); }, "tunnel zeta",
     "/remote"},
    {"port 0", [](Model& m) { edge2(m).dst_port = 0; }, "tunnel edge-2", "/dst_port"},
    {"Geneve on VXLAN's port", [](Model& m) { add_tunnel(m, "192.0.2.9", TunnelType::geneve, kVxlanPort); },
     "tunnel zeta", "/dst_port"},
    {"no TTL", [](Model& m) { edge2(m).ttl = 0; }, "tunnel edge-2", "/ttl"},
    {"a keepalive too often", [](Model& m) { edge2(m).keepalive_ms = 49; }, "tunnel edge-2", "/keepalive_ms"},
    {"a keepalive too seldom", [](Model& m) { edge2(m).keepalive_ms = 60'001; }, "tunnel edge-2", "/keepalive_ms"},
    {"DSCP of seven bits", [](Model& m) { edge2(m).dscp = 64; }, "tunnel edge-2", "/dscp"},
    {"unknown segment", [](Model& m) { edge2(m).segments[1] = "green"; }, "tunnel edge-2", "/segments/1",
     ErrorCode::not_found},
    {"segment twice", [](Model& m) { edge2(m).segments[1] = "blue"; }, "tunnel edge-2", "/segments/1"},
    {"a segment one byte too large", [](Model& m) { m.segments["red"].mtu = 1451; }, "tunnel edge-2", "/segments/1"},
    {"a segment one byte too large for IPv6", [](Model& m) { m.segments["blue"].mtu = 1431; }, "tunnel edge-6",
     "/segments/0"},
    {"groups for which Geneve has no room",
     [](Model& m) {
         edge2(m).type = TunnelType::geneve;
         edge2(m).dst_port = kGenevePort;
         edge2(m).trust_groups = true;
     },
     "tunnel edge-2", "/segments/1"},
    {"an underlay one byte too small", [](Model& m) { u0(m).mtu = 1499; }, "tunnel edge-2", "/segments/1"},
};

StaticMac& entry_of(Model& m) {
    return m.static_macs.begin()->second;
}

void add_entry(Model& m, const char* address, const char* tunnel, const char* own_ip) {
    const StaticMac entry{
        .owner = {}, .segment = "blue", .mac = mac(address), .port = {}, .tunnel = tunnel, .ips = {ip(own_ip)}};
    m.static_macs[{entry.segment, entry.mac}] = entry;
}

constexpr const char* kEntry = "fdb blue/02:00:00:00:00:09";

const BadModel kBadEntries[] = {
    {"port and tunnel", [](Model& m) { entry_of(m).port = "pod"; }, kEntry, "/tunnel"},
    {"neither", [](Model& m) { entry_of(m).tunnel = ""; }, kEntry, "/port"},
    {"no such tunnel", [](Model& m) { entry_of(m).tunnel = "pod"; }, kEntry, "/tunnel", ErrorCode::not_found},
    {"a tunnel without the segment", [](Model& m) { m.tunnels["edge-2"].segments = {"red"}; }, kEntry, "/tunnel"},
    {"the MAC of a port", [](Model& m) { add_entry(m, "02:00:00:00:00:01", "edge-2", "10.1.0.2"); },
     "fdb blue/02:00:00:00:00:01", "/mac"},
    {"an IP twice", [](Model& m) { entry_of(m).ips.push_back(ip("10.1.0.9")); }, kEntry, "/ips/2"},
    {"the IP of another", [](Model& m) { add_entry(m, "02:00:00:00:00:0a", "edge-3", "2001:db8:1::9"); },
     "fdb blue/02:00:00:00:00:0a", "/ips/0"},
    {"a multicast IP", [](Model& m) { entry_of(m).ips[1] = ip("ff02::1"); }, kEntry, "/ips/1"},
};

TEST(ValidateFabric, TakesAGoodModel) {
    auto ok = validate(good_model());
    EXPECT_TRUE(ok) << ok.error().message;
}

TEST(ValidateFabric, RefusesBadUnderlays) {
    expect_refusals(kBadUnderlays);
}
TEST(ValidateFabric, RefusesBadTunnels) {
    expect_refusals(kBadTunnels);
}
TEST(ValidateFabric, RefusesBadEntries) {
    expect_refusals(kBadEntries);
}

TEST(ValidateFabric, TheLastByteOfTheMtuIsOfUse) {
    Model model = good_model();
    model.segments["blue"].mtu = 1430;  // over IPv6
    model.segments["red"].mtu = 1450;   // over IPv4
    EXPECT_TRUE(validate(model));
}

TEST(ValidateFabric, MessagesNameBothAndWhatWouldDo) {
    auto refusal = [](auto&& spoil) {
        Model model = good_model();
        spoil(model);
        return validate(model).error();
    };
    EXPECT_EQ(
        refusal([](Model& m) { add_tunnel(m, "192.0.2.2", TunnelType::geneve); }).message,
        "remote 192.0.2.2 is the remote of tunnel \"edge-2\" of type vxlan, and tunnel \"zeta\" is of type geneve");
    EXPECT_EQ(refusal([](Model& m) { add_tunnel(m, "192.0.2.2", TunnelType::vxlan); }).message,
              "remote 192.0.2.2 is the remote of tunnel \"edge-2\" already");
    const Error mtu = refusal([](Model& m) { m.segments["red"].mtu = 1500; });
    EXPECT_EQ(mtu.message,
              "segments \"red\" has MTU 1500 and needs 1550 with the tunnel's headers: underlay \"u0\" has 1500");
    EXPECT_EQ(mtu.allowed, "a segment MTU of at most 1450, or an underlay MTU of at least 1550");
    EXPECT_EQ(refusal([](Model& m) { u0(m).gateways.clear(); }).message,
              "remote 203.0.113.3 can't be reached: it is on no network of underlay \"u0\", which has no IPv4 gateway");
}

TEST(ValidateFabric, TunnelsTakePortsAndAttachmentsOfTheLimit) {
    Model model = good_model();
    for (int i = 0; i < kMaxPorts; ++i) {
        Tunnel tunnel = model.tunnels["edge-2"];
        tunnel.name = "t" + std::to_string(10000 + i);
        tunnel.remote = IpAddress::v4(0xcb007200U + static_cast<std::uint32_t>(i));
        tunnel.segments.clear();
        model.tunnels[tunnel.name] = tunnel;
    }
    auto result = validate(model);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::limit);
    EXPECT_EQ(result.error().object_kind, "tunnel");
}

TEST(DeviceMtu, OfAnUnderlaysPortIsItsMtu) {
    Model model = good_model();
    model.underlays["u0"].mtu = 9000;
    EXPECT_EQ(device_mtu(model.ports["nic0"], model), 9000);
    EXPECT_EQ(device_mtu(model.ports["nic2"], model), kDefaultMtu);
}

}  // namespace
}  // namespace bulkhead
