// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/validate.h"

#include <functional>

#include <gtest/gtest.h>

namespace bulkhead {
namespace {

MacAddress mac(const char* text) {
    return *MacAddress::parse(text);
}

Attachment untagged(std::string segment) {
    return {.vlan = {}, .segment = std::move(segment), .macs = {}};
}
Attachment tagged(std::uint16_t vlan, std::string segment) {
    return {.vlan = vlan, .segment = std::move(segment), .macs = {}};
}

Port tap(std::string name, std::string ifname) {
    Port port;
    port.name = std::move(name);
    port.device = TapDevice{.netns = "/run/netns/pod", .ifname = std::move(ifname), .mac = {}, .owner_uid = {}};
    return port;
}

Port guest(std::string name, std::string path) {
    Port port;
    port.name = std::move(name);
    port.device = VhostUserDevice{.path = std::move(path), .owner_uid = {}, .owner_gid = {}, .socket_mode = {}};
    return port;
}

Port nic(std::string name, std::string devargs) {
    Port port;
    port.name = std::move(name);
    port.device = EthdevDevice{.devargs = std::move(devargs), .mac = {}};
    return port;
}

// Two segments; a pod in blue, a trunk in both, a NIC in none.
Model good_model() {
    Model model;
    for (auto [name, vni] : {std::pair{"blue", 100U}, std::pair{"red", 200U}}) {
        Segment segment;
        segment.name = name;
        segment.vni = vni;
        model.segments[name] = segment;
    }
    Port pod = tap("pod", "net1");
    pod.attachments = {untagged("blue")};
    pod.attachments[0].macs = {mac("02:00:00:00:00:01")};
    Port trunk = guest("trunk", "/run/bulkhead/vhost/trunk.sock");
    trunk.attachments = {tagged(10, "blue"), tagged(20, "red")};
    model.ports = {{"pod", pod}, {"trunk", trunk}, {"uplink", nic("uplink", "0000:03:00.0")}};
    StaticMac entry{.owner = {}, .segment = "red", .mac = mac("02:00:00:00:00:09"), .port = "trunk"};
    model.static_macs[{"red", entry.mac}] = entry;
    return model;
}

struct BadModel {
    const char* what;
    std::function<void(Model&)> spoil;
    const char* object;  // kind and name
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

TapDevice& tap_of(Model& m) {
    return std::get<TapDevice>(m.ports["pod"].device);
}
VhostUserDevice& vhost_of(Model& m) {
    return std::get<VhostUserDevice>(m.ports["trunk"].device);
}
EthdevDevice& nic_of(Model& m) {
    return std::get<EthdevDevice>(m.ports["uplink"].device);
}

void add_fdb(Model& m, StaticMac entry) {
    m.static_macs[{entry.segment, entry.mac}] = entry;
}

const BadModel kBadModels[] = {
    {"segment name", [](Model& m) { m.segments["blue"].name = "-blue"; }, "segment -blue", "/name"},
    {"long segment name", [](Model& m) { m.segments["blue"].name = std::string(64, 'a'); },
     "segment aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/name"},
    {"owner", [](Model& m) { m.segments["blue"].owner = "a b"; }, "segment blue", "/owner"},
    {"tenant", [](Model& m) { m.segments["blue"].tenant = "/"; }, "segment blue", "/tenant"},
    {"VNI zero", [](Model& m) { m.segments["blue"].vni = 0; }, "segment blue", "/vni"},
    {"VNI of 25 bits", [](Model& m) { m.segments["blue"].vni = 1U << 24; }, "segment blue", "/vni"},
    {"VNI taken", [](Model& m) { m.segments["red"].vni = 100; }, "segment red", "/vni"},
    {"small MTU", [](Model& m) { m.segments["red"].mtu = 67; }, "segment red", "/mtu"},
    {"large MTU", [](Model& m) { m.segments["red"].mtu = 9217; }, "segment red", "/mtu"},
    {"MAC limit", [](Model& m) { m.segments["red"].mac_limit = 1'000'001; }, "segment red", "/mac_limit"},
    {"no age", [](Model& m) { m.segments["red"].mac_age_s = 0; }, "segment red", "/mac_age_s"},
    {"great age", [](Model& m) { m.segments["red"].mac_age_s = 1'000'001; }, "segment red", "/mac_age_s"},
    {"port name", [](Model& m) { m.ports["pod"].name = "a/b"; }, "port a/b", "/name"},
    {"port owner", [](Model& m) { m.ports["pod"].owner = "."; }, "port pod", "/owner"},
    {"no queue", [](Model& m) { m.ports["pod"].queues = 0; }, "port pod", "/queues"},
    {"17 queues", [](Model& m) { m.ports["pod"].queues = 17; }, "port pod", "/queues"},
    {"port MTU", [](Model& m) { m.ports["pod"].mtu = 60; }, "port pod", "/mtu"},
    {"no rate", [](Model& m) { m.ports["pod"].limits.rx_mbps = 0; }, "port pod", "/limits/rx_mbps"},
    {"great rate", [](Model& m) { m.ports["pod"].limits.tx_mbps = 1'000'001; }, "port pod", "/limits/tx_mbps"},
    {"burst of no rate", [](Model& m) { m.ports["pod"].limits.burst_kib = 64; }, "port pod", "/limits/burst_kib"},
    {"many moves", [](Model& m) { m.ports["pod"].limits.mac_moves_per_s = 1'000'001; }, "port pod",
     "/limits/mac_moves_per_s"},
    {"worker", [](Model& m) { m.ports["pod"].workers = {0, 64}; }, "port pod", "/workers/1"},
    {"no ifname", [](Model& m) { tap_of(m).ifname = ""; }, "port pod", "/ifname"},
    {"long ifname", [](Model& m) { tap_of(m).ifname = "sixteen-letters-"; }, "port pod", "/ifname"},
    {"ifname with a slash", [](Model& m) { tap_of(m).ifname = "a/b"; }, "port pod", "/ifname"},
    {"ifname with a blank", [](Model& m) { tap_of(m).ifname = "a b"; }, "port pod", "/ifname"},
    {"ifname with a template", [](Model& m) { tap_of(m).ifname = "tap%d"; }, "port pod", "/ifname"},
    {"ifname .", [](Model& m) { tap_of(m).ifname = "."; }, "port pod", "/ifname"},
    {"ifname ..", [](Model& m) { tap_of(m).ifname = ".."; }, "port pod", "/ifname"},
    {"relative netns", [](Model& m) { tap_of(m).netns = "pod"; }, "port pod", "/netns"},
    {"group address", [](Model& m) { tap_of(m).mac = mac("01:00:00:00:00:01"); }, "port pod", "/mac"},
    {"no path", [](Model& m) { vhost_of(m).path = ""; }, "port trunk", "/path"},
    {"relative path", [](Model& m) { vhost_of(m).path = "a.sock"; }, "port trunk", "/path"},
    {"long path", [](Model& m) { vhost_of(m).path = "/" + std::string(107, 'a'); }, "port trunk", "/path"},
    {"path with a NUL", [](Model& m) { vhost_of(m).path = std::string("/a\0b", 4); }, "port trunk", "/path"},
    {"path of a folder", [](Model& m) { vhost_of(m).path = "/run/"; }, "port trunk", "/path"},
    {"uid of a guest's socket", [](Model& m) { vhost_of(m).owner_uid = 1; }, "port trunk", "/owner_uid"},
    {"gid of a guest's socket", [](Model& m) { vhost_of(m).owner_gid = 1; }, "port trunk", "/owner_gid"},
    {"mode of a guest's socket", [](Model& m) { vhost_of(m).socket_mode = 0600; }, "port trunk", "/socket_mode"},
    {"no devargs", [](Model& m) { nic_of(m).devargs = ""; }, "port uplink", "/devargs"},
    {"an option as devargs", [](Model& m) { nic_of(m).devargs = "--no-huge"; }, "port uplink", "/devargs"},
    {"zero NIC address", [](Model& m) { nic_of(m).mac = MacAddress(); }, "port uplink", "/mac"},
    {"same interface", [](Model& m) { m.ports["x"] = tap("x", "net1"); }, "port x", "/ifname"},
    {"same socket", [](Model& m) { m.ports["x"] = guest("x", "/run/bulkhead/vhost/trunk.sock"); }, "port x", "/path"},
    {"same NIC", [](Model& m) { m.ports["x"] = nic("x", "0000:03:00.0,option=1"); }, "port x", "/devargs"},
    {"unknown segment", [](Model& m) { m.ports["pod"].attachments[0].segment = "green"; }, "port pod", "/segment",
     ErrorCode::not_found},
    {"unknown segment of a VLAN", [](Model& m) { m.ports["trunk"].attachments[1].segment = "green"; }, "port trunk",
     "/vlans/1/segment", ErrorCode::not_found},
    {"two untagged", [](Model& m) { m.ports["pod"].attachments.push_back(untagged("red")); }, "port pod", "/segment"},
    {"VLAN 0", [](Model& m) { m.ports["trunk"].attachments[0].vlan = 0; }, "port trunk", "/vlans/0/vlan"},
    {"VLAN 4095", [](Model& m) { m.ports["trunk"].attachments[1].vlan = 4095; }, "port trunk", "/vlans/1/vlan"},
    {"VLAN twice", [](Model& m) { m.ports["trunk"].attachments[1].vlan = 10; }, "port trunk", "/vlans/1/vlan"},
    {"segment twice", [](Model& m) { m.ports["trunk"].attachments[1].segment = "blue"; }, "port trunk",
     "/vlans/1/segment"},
    {"keep_tag untagged", [](Model& m) { m.ports["pod"].attachments[0].keep_tag = true; }, "port pod", "/keep_tag"},
    {"carry beside vlans",
     [](Model& m) {
         m.ports["trunk"].attachments[0].vlan.reset();
         m.ports["trunk"].attachments[0].tagged = TaggedFrames::carry;
     },
     "port trunk", "/tagged"},
    {"broadcast address", [](Model& m) { m.ports["pod"].attachments[0].macs = {mac("ff:ff:ff:ff:ff:ff")}; }, "port pod",
     "/macs/0"},
    {"zero address", [](Model& m) { m.ports["trunk"].attachments[1].macs = {MacAddress()}; }, "port trunk",
     "/vlans/1/macs/0"},
    {"MAC twice", [](Model& m) { m.ports["pod"].attachments[0].macs.push_back(mac("02:00:00:00:00:01")); }, "port pod",
     "/macs/1"},
    {"MAC of another port", [](Model& m) { m.ports["trunk"].attachments[0].macs = {mac("02:00:00:00:00:01")}; },
     "port trunk", "/vlans/0/macs/0"},
    {"fdb: unknown segment", [](Model& m) { add_fdb(m, {"", "green", mac("02:00:00:00:00:08"), "trunk"}); },
     "fdb green/02:00:00:00:00:08", "/segment", ErrorCode::not_found},
    {"fdb: unknown port", [](Model& m) { add_fdb(m, {"", "red", mac("02:00:00:00:00:08"), "x"}); },
     "fdb red/02:00:00:00:00:08", "/port", ErrorCode::not_found},
    {"fdb: port elsewhere", [](Model& m) { add_fdb(m, {"", "red", mac("02:00:00:00:00:08"), "pod"}); },
     "fdb red/02:00:00:00:00:08", "/port"},
    {"fdb: group address", [](Model& m) { add_fdb(m, {"", "red", mac("01:00:00:00:00:08"), "trunk"}); },
     "fdb red/01:00:00:00:00:08", "/mac"},
    {"fdb: MAC of an attachment", [](Model& m) { add_fdb(m, {"", "blue", mac("02:00:00:00:00:01"), "trunk"}); },
     "fdb blue/02:00:00:00:00:01", "/mac"},
};

TEST(Validate, TakesAGoodModel) {
    auto ok = validate(good_model());
    EXPECT_TRUE(ok) << ok.error().message;
    EXPECT_TRUE(validate(Model{}));
}

TEST(Validate, RefusesEveryBadModelNamingTheField) {
    for (const BadModel& bad : kBadModels) {
        SCOPED_TRACE(bad.what);
        Model model = good_model();
        bad.spoil(model);
        auto result = validate(model);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, bad.code);
        EXPECT_EQ(result.error().object_kind + " " + result.error().object_name, bad.object);
        EXPECT_EQ(result.error().field, bad.field);
        EXPECT_FALSE(result.error().message.empty());
    }
}

TEST(Validate, TheSameMacInTwoSegmentsIsFine) {
    Model model = good_model();
    model.ports["trunk"].attachments[1].macs = {mac("02:00:00:00:00:01")};
    EXPECT_TRUE(validate(model));
}

TEST(Validate, MessagesAreSentences) {
    Model model = good_model();
    model.segments["red"].vni = 100;
    EXPECT_EQ(validate(model).error().message, "vni 100 is taken by segment \"blue\"");
    model = good_model();
    model.ports["trunk"].attachments[1].vlan = 4095;
    EXPECT_EQ(validate(model).error().message, "vlan 4095 is out of range");
}

TEST(Validate, HasALimitOnAttachments) {
    Model model;
    for (int i = 0; i < 4094; ++i) {
        Segment segment;
        segment.name = "s" + std::to_string(i);
        segment.vni = static_cast<std::uint32_t>(i) + 1;
        model.segments[segment.name] = segment;
    }
    for (int p = 0; p < 9; ++p) {
        Port port = guest("p" + std::to_string(p), "/run/p" + std::to_string(p));
        for (int i = 0; i < 4094; ++i) {
            port.attachments.push_back(tagged(static_cast<std::uint16_t>(i + 1), "s" + std::to_string(i)));
        }
        model.ports[port.name] = port;
    }
    auto result = validate(model);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::limit);
    EXPECT_EQ(result.error().object_name, "p8");
}

TEST(DeviceMtu, IsThePortsOwnOrTheLargestOfItsSegments) {
    Model model = good_model();
    model.segments["red"].mtu = 9000;
    EXPECT_EQ(device_mtu(model.ports["trunk"], model), 9000);
    EXPECT_EQ(device_mtu(model.ports["uplink"], model), kDefaultMtu);
    model.ports["trunk"].mtu = 1400;
    EXPECT_EQ(device_mtu(model.ports["trunk"], model), 1400);
}

}  // namespace
}  // namespace bulkhead
