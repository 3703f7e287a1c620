// SPDX-License-Identifier: Apache-2.0
// Underlays, tunnels and entries behind tunnels: what the codec refuses, and the defaults that hang on other fields.
#include <gtest/gtest.h>

#include "control/config/object_json.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

struct Spoilt {
    const char* pointer;
    json value;  // null: without the field
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

const json kUnderlay = json::parse(R"({"name": "u0", "port": "uplink0", "addresses": ["192.0.2.1/24", "2001:db8::1/64"],
    "gateways": ["192.0.2.254"], "vlan": 30, "host_tap": "bh-host0", "mtu": 1600, "neighbors": [{"ip": "192.0.2.2", "mac": "02:00:00:00:02:02"}]})");
const json kTunnel = json::parse(R"({"name": "edge-2", "type": "vxlan", "underlay": "u0", "remote": "192.0.2.2",
    "segments": ["blue"], "dst_port": 4790, "horizon": "spoke", "ttl": 9, "dscp": "copy", "udp_checksum": true,
    "trust_groups": true, "keepalive_ms": 50})");
const json kEntry = json::parse(R"({"segment": "blue", "mac": "02:00:00:00:00:01", "tunnel": "edge-2",
    "ips": ["10.1.0.9", "2001:db8::9"]})");

template <typename Decode>
void expect_refusals(const json& good, std::span<const Spoilt> spoilt, Decode decode) {
    ASSERT_TRUE(decode(good));
    for (const Spoilt& bad : spoilt) {
        SCOPED_TRACE(bad.pointer + (" " + bad.value.dump()));
        json object = good;
        if (bad.value.is_null()) {
            object.erase(std::string(bad.pointer + 1));
        } else {
            object[json::json_pointer(bad.pointer)] = bad.value;
        }
        auto result = decode(object);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, bad.code) << result.error().message;
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
    }
}

TEST(FabricJson, RefusesBadUnderlays) {
    const Spoilt spoilt[] = {
        {"/name", nullptr, "/name"},
        {"/port", nullptr, "/port"},
        {"/addresses", nullptr, "/addresses"},
        {"/addresses", "192.0.2.1/24", "/addresses"},
        {"/addresses/1", "192.0.2.1", "/addresses/1"},
        {"/addresses/0", 7, "/addresses/0"},
        {"/addresses/0", "192.0.2.1/33", "/addresses/0"},
        {"/gateways/0", "192.0.2.254/24", "/gateways/0"},
        {"/vlan", 0, "/vlan"},
        {"/vlan", 4095, "/vlan"},
        {"/mtu", 67, "/mtu"},
        {"/mtu", 9217, "/mtu"},
        {"/host_tap", 7, "/host_tap"},
        {"/neighbors/0", "192.0.2.2", "/neighbors/0"},
        {"/neighbors/0/ip", "host", "/neighbors/0/ip"},
        {"/neighbors/0/mac", "02-00", "/neighbors/0/mac"},
        {"/neighbors/0/age", 1, "/neighbors/0/age"},
        {"/address", "x", "/address"},
    };
    expect_refusals(kUnderlay, spoilt, [](const json& object) { return decode_underlay(object); });
}

TEST(FabricJson, RefusesBadTunnels) {
    const Spoilt spoilt[] = {
        {"/name", nullptr, "/name"},
        {"/type", nullptr, "/type"},
        {"/type", "gre", "/type"},
        {"/underlay", nullptr, "/underlay"},
        {"/remote", nullptr, "/remote"},
        {"/remote", "edge-2", "/remote"},
        {"/remote", "::ffff:192.0.2.2", "/remote"},
        {"/segments/0", 1, "/segments/0"},
        {"/dst_port", 0, "/dst_port"},
        {"/dst_port", 65536, "/dst_port"},
        {"/horizon", "tree", "/horizon"},
        {"/ttl", 0, "/ttl"},
        {"/ttl", 256, "/ttl"},
        {"/dscp", 64, "/dscp"},
        {"/dscp", -1, "/dscp"},
        {"/dscp", "ef", "/dscp"},
        {"/dscp", true, "/dscp"},
        {"/udp_checksum", "yes", "/udp_checksum"},
        {"/keepalive_ms", 1, "/keepalive_ms"},
        {"/keepalive_ms", 49, "/keepalive_ms"},
        {"/keepalive_ms", 60001, "/keepalive_ms"},
        {"/keepalive_ms", 4294967396, "/keepalive_ms"},
        {"/keepalive_ms", -50, "/keepalive_ms"},
        {"/keepalive_ms", "100", "/keepalive_ms"},
        {"/trust_groups", "yes", "/trust_groups"},
    };
    expect_refusals(kTunnel, spoilt, [](const json& object) { return decode_tunnel(object); });
}

TEST(FabricJson, RefusesBadEntries) {
    const Spoilt spoilt[] = {
        {"/tunnel", nullptr, "/port"},
        {"/port", "web-0", "/tunnel"},
        {"/ips/1", "x", "/ips/1"},
        {"/ips", "10.1.0.9", "/ips"},
    };
    expect_refusals(kEntry, spoilt, [](const json& object) { return decode_fdb(object); });
}

TEST(FabricJson, WhatIsWrittenIsRead) {
    json underlay = encode(*decode_underlay(kUnderlay)), tunnel = encode(*decode_tunnel(kTunnel));
    json entry = encode(*decode_fdb(kEntry));
    for (json* object : {&underlay, &tunnel, &entry}) object->erase("owner");
    EXPECT_EQ(underlay, kUnderlay);
    EXPECT_EQ(tunnel, kTunnel);
    EXPECT_EQ(entry, kEntry);
}

TEST(FabricJson, DefaultsFollowTypeAndRemote) {
    auto decoded = [](const char* type, const char* remote) {
        return *decode_tunnel({{"name", "t"}, {"type", type}, {"underlay", "u0"}, {"remote", remote}});
    };
    EXPECT_EQ(decoded("vxlan", "192.0.2.2").dst_port, 4789);
    EXPECT_EQ(decoded("geneve", "192.0.2.2").dst_port, 6081);
    EXPECT_FALSE(decoded("vxlan", "192.0.2.2").udp_checksum);
    EXPECT_TRUE(decoded("vxlan", "2001:db8::2").udp_checksum);
    const Tunnel tunnel = decoded("vxlan", "192.0.2.2");
    EXPECT_EQ(tunnel.dscp, 0);
    EXPECT_EQ(tunnel.ttl, 64);
    EXPECT_EQ(tunnel.keepalive_ms, 0U);
    EXPECT_FALSE(tunnel.trust_groups);
    EXPECT_EQ(tunnel.horizon, Horizon::mesh);
    EXPECT_EQ(decode_underlay({{"name", "u"}, {"port", "p"}, {"addresses", {"192.0.2.1/24"}}})->mtu, 1500);
}

}  // namespace
}  // namespace bulkhead::config
