// SPDX-License-Identifier: Apache-2.0
// What the codec refuses, one line each: the input, the code, the field.
#include <gtest/gtest.h>

#include "control/config/node.h"
#include "control/config/object_json.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

struct BadInput {
    const char* text;
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

template <typename Decode>
void expect_refusals(std::span<const BadInput> inputs, Decode decode) {
    for (const BadInput& bad : inputs) {
        SCOPED_TRACE(bad.text);
        auto result = decode(json::parse(bad.text));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, bad.code) << result.error().message;
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
        EXPECT_FALSE(result.error().message.empty());
    }
}

constexpr BadInput kBadSegments[] = {
    {R"([])", ""},
    {R"("blue")", ""},
    {R"({"vni": 1})", "/name"},
    {R"({"name": "blue"})", "/vni"},
    {R"({"name": "blue", "vni": 1, "mut": 1450})", "/mut"},
    {R"({"name": "blue", "vni": 1, "a/b~c": 1})", "/a~1b~0c"},
    {R"({"name": 7, "vni": 1})", "/name"},
    {R"({"name": "blue", "vni": "1"})", "/vni"},
    {R"({"name": "blue", "vni": 1.5})", "/vni"},
    {R"({"name": "blue", "vni": 0})", "/vni"},
    {R"({"name": "blue", "vni": -1})", "/vni"},
    {R"({"name": "blue", "vni": 16777216})", "/vni"},
    {R"({"name": "blue", "vni": 18446744073709551615})", "/vni"},
    {R"({"name": "blue", "vni": 1, "mtu": 70000})", "/mtu"},
    {R"({"name": "blue", "vni": 1, "mtu": null})", "/mtu"},
    {R"({"name": "blue", "vni": 1, "flood": "some"})", "/flood"},
    {R"({"name": "blue", "vni": 1, "flood": true})", "/flood"},
    {R"({"name": "blue", "vni": 1, "mac_limit": 1000001})", "/mac_limit"},
    {R"({"name": "blue", "vni": 1, "mac_age_s": 0})", "/mac_age_s"},
    {R"({"name": "blue", "vni": 1, "owner": 5})", "/owner"},
    {R"({"name": "blue", "vni": 1, "arp_suppression": 1})", "/arp_suppression"},
    {R"({"name": "blue", "vni": 1, "encryption": "required"})", "/encryption", ErrorCode::not_built_in},
    {R"({"name": "blue", "vni": 1, "default_policy": "drop"})", "/default_policy"},
};

constexpr BadInput kBadPorts[] = {
    {R"({"name": "p"})", "/type"},
    {R"({"name": "p", "type": "veth"})", "/type"},
    {R"({"type": "tap", "ifname": "a"})", "/name"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "path": "/run/a"})", "/path"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "mode": "client"})", "/mode"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "devargs": "x"})", "/devargs"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "ifname": "a"})", "/ifname"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "mac": "02:00:00:00:00:01"})", "/mac"},
    {R"({"name": "p", "type": "ethdev", "devargs": "x", "netns": ""})", "/netns"},
    {R"({"name": "p", "type": "ethdev", "devargs": "x", "owner_uid": 1})", "/owner_uid"},
    {R"({"name": "p", "type": "ethdev", "devargs": "x", "promiscuous": 1})", "/promiscuous"},
    {R"({"name": "p", "type": "ethdev", "devargs": "x", "mac": "02:00:00:00:00"})", "/mac"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "queues": 0})", "/queues"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "queues": 17})", "/queues"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "mtu": 67})", "/mtu"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "workers": [0, "1"]})", "/workers/1"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "workers": [64]})", "/workers/0"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "workers": 1})", "/workers"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "owner_uid": -1})", "/owner_uid"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "owner_uid": 4294967295})", "/owner_uid"},
    {R"({"name": "p", "type": "vhost-user", "path": "/run/./a"})", "/path"},
    {R"({"name": "p", "type": "vhost-user", "path": "/run//a"})", "/path"},
    {R"({"name": "p", "type": "vhost-user", "path": "//run/a"})", "/path"},
    {R"({"name": "p", "type": "vhost-user", "path": "/run/b/../a"})", "/path"},
    {R"({"name": "p", "type": "vhost-user", "path": "/run/a/"})", "/path"},
    {R"({"name": "p", "type": "vhost-user", "path": "/run/a/."})", "/path"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "netns": "/run/netns/./a"})", "/netns"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "netns": "/run/netns/a/"})", "/netns"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "mode": "both"})", "/mode"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "mode": "server", "socket_mode": 660})", "/socket_mode"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "mode": "server", "socket_mode": "0888"})", "/socket_mode"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "mode": "server", "socket_mode": "1777"})", "/socket_mode"},
    {R"({"name": "p", "type": "tap", "netns": "", "ifname": "a", "packed": true})", "/packed"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "offloads": ["csum", "ufo"]})", "/offloads/1"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "offloads": ["csum", "csum"]})", "/offloads/1"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "offloads": [1]})", "/offloads/0"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "offloads": ["tso6"]})", "/offloads"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "offloads": ["csum"]})", "/offloads"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "limits": {"rx_mbps": -1}})", "/limits/rx_mbps"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "limits": {"rx_mbps": "10"}})", "/limits/rx_mbps"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "limits": {"storm_pps": 4294967296}})", "/limits/storm_pps"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "limits": {"rate": 1}})", "/limits/rate"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "limits": []})", "/limits"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "segment": "s", "group": 1})", "/group"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "group": "web"})", "/group"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "segment": "s", "security": "loose"})", "/security"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "segment": "s", "ips": ["10.1.0.10"]})", "/ips/0"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "segment": "s", "guards": ["ra", "nd"]})", "/guards/1"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "segment": "s", "guards": ["ra", "ra"]})", "/guards/1"},
    {R"({"name": "p", "type": "vhost-user", "path": "/a", "guards": ["ra"]})", "/guards"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "macs": ["02:00:00:00:00:01"]})", "/macs"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "isolated": true})", "/isolated"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "tagged": "carry"})", "/tagged"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "segment": "s", "tagged": "keep"})", "/tagged"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "segment": "s", "macs": ["02:00:00:00:00:01", "x"]})", "/macs/1"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "segment": "s", "macs": [1]})", "/macs/0"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "keep_tag": true})", "/keep_tag"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": {}})", "/vlans"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [5]})", "/vlans/0"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 1}]})", "/vlans/0/segment"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 1, "segment": "s"}, {"segment": "t"}]})",
     "/vlans/1/vlan"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 4095, "segment": "s"}]})", "/vlans/0/vlan"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 0, "segment": "s"}]})", "/vlans/0/vlan"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 1, "segment": "s", "mtu": 1}]})",
     "/vlans/0/mtu"},
    {R"({"name": "p", "type": "tap", "ifname": "a", "vlans": [{"vlan": 1, "segment": "s", "macs": [true]}]})",
     "/vlans/0/macs/0"},
};

constexpr BadInput kBadEntries[] = {
    {R"({"mac": "02:00:00:00:00:01", "port": "p"})", "/segment"},
    {R"({"segment": "s", "port": "p"})", "/mac"},
    {R"({"segment": "s", "mac": "02:00:00:00:00:01"})", "/port"},
    {R"({"segment": "s", "mac": "02-00-00-00-00-01", "port": "p"})", "/mac"},
    {R"({"segment": "s", "mac": "02:00:00:00:00:01", "port": "p", "tunnel": "t"})", "/tunnel"},
};

constexpr BadInput kBadNodes[] = {
    {R"({"name": "a b"})", "/name"},
    {R"({"cores": 1})", "/cores"},
    {R"({"cores": ""})", "/cores"},
    {R"({"cores": "1,"})", "/cores"},
    {R"({"cores": "3-1"})", "/cores"},
    {R"({"cores": "a"})", "/cores"},
    {R"({"memory_mib": 63})", "/memory_mib"},
    {R"({"memory_mib": 65537})", "/memory_mib"},
    {R"({"hugepages": "4k"})", "/hugepages"},
    {R"({"eal_args": [1]})", "/eal_args/0"},
    {R"({"idle": {"mode": "deep"}})", "/idle/mode"},
    {R"({"idle": {"max_sleep_us": 0}})", "/idle/max_sleep_us"},
    {R"({"idle": {"maxsleep": 5}})", "/idle/maxsleep"},
    {R"({"roles": [{"role": "admin"}]})", "/roles/0"},
    {R"({"roles": [{"uid": 1, "group": "g", "role": "admin"}]})", "/roles/0"},
    {R"({"roles": [{"uid": 1}]})", "/roles/0/role"},
    {R"({"roles": [{"uid": 1, "role": "root"}]})", "/roles/0/role"},
    {R"({"roles": [{"uid": 1, "role": "viewer"}, {"uid": 2, "role": "tenant"}]})", "/roles/1/tenant"},
    {R"({"roles": [{"uid": 1, "role": "viewer", "tenant": "acme"}]})", "/roles/0/tenant"},
    {R"({"roles": [{"group": true, "role": "viewer"}]})", "/roles/0/group"},
    {R"({"roles": [{"group": "", "role": "viewer"}]})", "/roles/0/group"},
    {R"({"netns_roots": ["run/netns"]})", "/netns_roots/0"},
    {R"({"vhost_roots": ["/a", 1]})", "/vhost_roots/1"},
    {R"({"metrics": {"listen": "unix:/a"}})", "/metrics", ErrorCode::not_built_in},
};

TEST(Decode, RefusesBadSegments) {
    expect_refusals(kBadSegments, [](const json& j) { return decode_segment(j); });
}
TEST(Decode, RefusesBadPorts) {
    expect_refusals(kBadPorts, [](const json& j) { return decode_port(j); });
}
TEST(Decode, RefusesBadEntries) {
    expect_refusals(kBadEntries, [](const json& j) { return decode_fdb(j); });
}
TEST(Decode, RefusesBadNodes) {
    expect_refusals(kBadNodes, [](const json& j) { return decode_node(j); });
}

TEST(Decode, FillsInDefaults) {
    auto segment = decode_segment({{"name", "blue"}, {"vni", 100}}, "cni");
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->owner, "cni");
    EXPECT_EQ(segment->mtu, 1500);
    EXPECT_EQ(segment->mac_limit, 4096U);
    EXPECT_EQ(segment->mac_age_s, 300U);
    EXPECT_EQ(segment->flood, FloodMode::all);
    EXPECT_EQ(*decode_node(json::object()), Node{});
}

TEST(Decode, TakesWhatIsNotBuiltInAtItsDefault) {
    EXPECT_TRUE(decode_segment({{"name", "blue"}, {"vni", 1}, {"encryption", "none"}}));
    EXPECT_TRUE(decode_port({{"name", "p"}, {"type", "vhost-user"}, {"path", "/a"}, {"security", "off"}}));
}

TEST(Decode, OffloadsAreASet) {
    const auto offloads = [](const json& written) {
        auto port = decode_port({{"name", "p"}, {"type", "vhost-user"}, {"path", "/a"}, {"offloads", written}});
        EXPECT_TRUE(port);
        EXPECT_EQ(encode(*port)["offloads"].size(), written.size());
        return std::get<VhostUserDevice>(port->device).offloads;
    };
    EXPECT_EQ(offloads({"tso6", "csum", "tso4"}), GuestOffloads{});
    EXPECT_EQ(offloads({"csum", "tso4"}), (GuestOffloads{.checksum = true, .tso4 = true, .tso6 = false}));
    EXPECT_EQ(offloads(json::array()), (GuestOffloads{.checksum = false, .tso4 = false, .tso6 = false}));
    auto without = decode_port({{"name", "p"}, {"type", "vhost-user"}, {"path", "/a"}});
    EXPECT_EQ(std::get<VhostUserDevice>(without->device).offloads, GuestOffloads{});
}

TEST(Decode, NamesTheNearestFields) {
    auto result = decode_segment({{"name", "blue"}, {"vni", 1}, {"mac_ages", 5}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "a segment has no field \"mac_ages\"");
    EXPECT_TRUE(result.error().allowed.starts_with("mac_age_s")) << result.error().allowed;
}

TEST(Decode, ShowsThePlainSpellingOfAPath) {
    auto port = decode_port({{"name", "p"}, {"type", "vhost-user"}, {"path", "/run/vhost/.//web-0.sock"}});
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().got, R"("/run/vhost/.//web-0.sock")");
    EXPECT_TRUE(port.error().allowed.ends_with(R"("/run/vhost/web-0.sock")")) << port.error().allowed;
    for (const char* plain : {"/run/vhost/web-0.sock", "/run/.hidden/..a", "/"})
        EXPECT_TRUE(decode_port({{"name", "p"}, {"type", "vhost-user"}, {"path", plain}})) << plain;
}

TEST(Decode, SortsAttachmentsByVlan) {
    auto port = decode_port(json::parse(R"({"name": "p", "type": "tap", "ifname": "a", "segment": "u",
        "vlans": [{"vlan": 20, "segment": "b"}, {"vlan": 10, "segment": "a"}]})"));
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_EQ(port->attachments.size(), 3U);
    EXPECT_FALSE(port->attachments[0].vlan);
    EXPECT_EQ(port->attachments[1].vlan, 10);
    EXPECT_EQ(port->attachments[2].vlan, 20);
}

TEST(Decode, ReadsSocketModesInOctal) {
    auto port = decode_port(
        {{"name", "p"}, {"type", "vhost-user"}, {"path", "/a"}, {"mode", "server"}, {"socket_mode", "0640"}});
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ(std::get<VhostUserDevice>(port->device).socket_mode, 0640U);
    EXPECT_EQ(encode(*port)["socket_mode"], "0640");
}

}  // namespace
}  // namespace bulkhead::config
