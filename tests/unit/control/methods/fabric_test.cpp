// SPDX-License-Identifier: Apache-2.0
// underlay.*, tunnel.*, and what other methods know of them.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class FabricMethods : public Desk {
  protected:
    FabricMethods() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"mtu", 1400}, {"tenant", "acme"}});
        done("segment.add", {{"name", "red"}, {"vni", 2}, {"mtu", 1400}});
        done("port.add", guest("web", "blue"));
        done("port.add", {{"name", "uplink0"}, {"type", "ethdev"}, {"devargs", "net_null0"}});
        done("underlay.add", u0());
        done("tunnel.add", edge("edge-2", "192.0.2.2", {"blue"}));
    }
    static json u0() {
        return {{"name", "u0"}, {"port", "uplink0"}, {"addresses", {"192.0.2.1/24", "2001:db8::1/64"}}};
    }
    static json edge(const char* name, const char* remote, json segments = json::array()) {
        return {{"name", name}, {"type", "vxlan"}, {"underlay", "u0"}, {"remote", remote}, {"segments", segments}};
    }
    static json entry(const char* mac) {
        return {{"segment", "blue"}, {"mac", mac}, {"tunnel", "edge-2"}, {"ips", {"10.1.0.9"}}};
    }
    std::string names(const char* method, const json& params) {
        std::string text;
        const json answer = done(method, params);
        for (const json& item : answer["items"]) text += item["name"].get<std::string>() + " ";
        return text;
    }
};

TEST_F(FabricMethods, AddAnswersTheObjectWithItsDefaults) {
    const json answer = done("tunnel.add", edge("edge-6", "2001:db8::6"));
    EXPECT_EQ(answer["object"]["dst_port"], 4789);
    EXPECT_EQ(answer["object"]["udp_checksum"], true);
    EXPECT_EQ(done("tunnel.add", edge("edge-6", "2001:db8::6"))["changed"], false);
    EXPECT_EQ(done("underlay.add", u0())["changed"], false);
    auto other = call("tunnel.add", edge("edge-6", "2001:db8::6", {"blue"}));
    expect_refusal(other, ErrorCode::exists, "/name");
    EXPECT_EQ(other.error().message, "tunnel \"edge-6\" exists with other content: segments");
    EXPECT_EQ(audited.back(), "tunnel edge-6: " + other.error().message);
}

TEST_F(FabricMethods, RefusalsPointIntoTheParameters) {
    json second = u0();
    second["name"] = "u1";
    expect_refusal(call("underlay.add", second), ErrorCode::invalid_params, "/port");
    expect_refusal(call("underlay.set", {{"name", "u0"}, {"addresses", {"192.0.2.0/24"}}}), ErrorCode::invalid_params,
                   "/addresses/0");
    expect_refusal(call("underlay.set", {{"name", "u9"}, {"mtu", 9000}}), ErrorCode::not_found, "/name");
    expect_refusal(call("underlay.remove", {{"name", "u0"}}), ErrorCode::in_use, "/name");
    expect_refusal(call("tunnel.add", edge("t", "192.0.2.1")), ErrorCode::invalid_params, "/remote");
    expect_refusal(call("tunnel.add", edge("t", "192.0.2.3", {"blue", "green"})), ErrorCode::not_found, "/segments/1");
    expect_refusal(call("tunnel.set", {{"name", "edge-2"}, {"type", "geneve"}}), ErrorCode::invalid_params, "/type");
    expect_refusal(call("tunnel.set", {{"name", "edge-2"}, {"keepalive_ms", 49}}), ErrorCode::invalid_params,
                   "/keepalive_ms");
    expect_refusal(call("tunnel.get", {{"name", "edge-9"}}), ErrorCode::not_found, "/name");
    expect_refusal(call("tunnel.list", {{"segment", "green"}}), ErrorCode::not_found, "/segment");
    expect_refusal(call("tunnel.list", {{"underlay", "u9"}}), ErrorCode::not_found, "/underlay");
    expect_refusal(call("underlay.neighbors", {{"name", "u9"}}), ErrorCode::not_found, "/name");
    expect_refusal(call("port.set", {{"name", "uplink0"}, {"segment", "blue"}}), ErrorCode::invalid_params, "/segment");
    expect_refusal(call("port.remove", {{"name", "uplink0"}}), ErrorCode::in_use, "/name");
    const auto grown = call("segment.set", {{"name", "blue"}, {"mtu", 1500}});
    expect_refusal(grown, ErrorCode::invalid_params, "/mtu");
    EXPECT_EQ(grown.error().message,
              "mtu 1500 does not fit: tunnel \"edge-2\" needs 1550 for segment \"blue\" and has 1500");
    EXPECT_EQ(grown.error().allowed, "at most 1450");
    expect_refusal(call("underlay.set", {{"name", "u0"}, {"mtu", 1400}}), ErrorCode::invalid_params, "/mtu");
    EXPECT_EQ(world.engine.generation(), 6U);
}

TEST_F(FabricMethods, SetMergesThePatch) {
    done("tunnel.set", {{"name", "edge-2"}, {"dst_port", 4790}, {"dscp", "copy"}, {"segments", {"red"}}});
    EXPECT_EQ(world.target.model.tunnels.at("edge-2").dscp, std::nullopt);
    const json answer = done("tunnel.set", {{"name", "edge-2"}, {"dst_port", nullptr}, {"dscp", nullptr}});
    EXPECT_EQ(answer["object"]["dst_port"], 4789);
    EXPECT_EQ(answer["object"]["dscp"], 0);
    EXPECT_EQ(answer["object"]["segments"], json({"red"}));
    EXPECT_EQ(done("underlay.set", {{"name", "u0"}, {"vlan", 30}})["object"]["vlan"], 30);
}

TEST_F(FabricMethods, StateStandsBesideTheConfiguration) {
    world.target.neighbors_of["u0"] = {{.ip = *IpAddress::parse("2001:db8::1"),
                                        .mac = MacAddress(0x020000000666),
                                        .state = "reachable",
                                        .age_s = 3,
                                        .is_duplicate = true},
                                       {.ip = *IpAddress::parse("192.0.2.2"), .mac = {}, .state = "probing"}};
    json underlay = done("underlay.get", {{"name", "u0"}});
    EXPECT_EQ(underlay["state"],
              json::parse(R"({"status": "up", "reason": null, "link": true, "mac": "", "host_tap": null,
        "addresses": [{"address": "192.0.2.1/24", "duplicate": false}, {"address": "2001:db8::1/64", "duplicate": true}]})"));
    underlay.erase("state");
    EXPECT_EQ(done("underlay.add", underlay)["changed"], false);
    EXPECT_EQ(done("underlay.neighbors", {{"name", "u0"}})["items"], json::parse(R"([
        {"underlay": "u0", "ip": "192.0.2.2", "mac": null, "state": "probing", "age_s": 0, "duplicate": false},
        {"underlay": "u0", "ip": "2001:db8::1", "mac": "02:00:00:00:06:66", "state": "reachable", "age_s": 3,
         "duplicate": true}])"));
    EXPECT_EQ(done("underlay.neighbors", {{"limit", 1}})["cursor"], "u0/192.0.2.2");

    world.target.tunnel = {.next_hop = IpAddress::parse("192.0.2.2"), .next_hop_mac = MacAddress(2), .resolved = true};
    world.target.traffic.tx_packets = 7;
    json tunnel = done("tunnel.get", {{"name", "edge-2"}});
    EXPECT_EQ(tunnel["state"], json::parse(R"({"status": "active", "reason": null, "next_hop": "192.0.2.2",
        "next_hop_mac": "00:00:00:00:00:02", "resolved": true, "cut": [], "alive": null, "rx_packets": 0, "rx_bytes": 0,
        "tx_packets": 7, "tx_bytes": 0, "drops": 0})"));
    for (const bool alive : {false, true}) {
        world.target.tunnel.alive = alive;
        EXPECT_EQ(done("tunnel.get", {{"name", "edge-2"}})["state"]["alive"], alive);
    }
    tunnel.erase("state");
    EXPECT_EQ(done("tunnel.add", tunnel)["changed"], false);
}

TEST_F(FabricMethods, AnUnderlayIsWhatItsNicIs) {
    world.factory.absent = {"uplink0"};
    world.engine.port_event("uplink0", world.factory.tokens["uplink0"], PortEvent::device_removed);
    const json state = done("underlay.get", {{"name", "u0"}})["state"];
    EXPECT_EQ(state["status"], "waiting");
    EXPECT_EQ(state["reason"], "the device has gone");
    EXPECT_EQ(state["link"], false);
}

TEST_F(FabricMethods, ListsWhatTheFiltersLetPass) {
    json theirs = edge("edge-3", "192.0.2.3", {"red"});
    theirs["owner"] = "controller";
    done("tunnel.add", theirs);
    EXPECT_EQ(names("tunnel.list", json::object()), "edge-2 edge-3 ");
    EXPECT_EQ(names("tunnel.list", {{"segment", "red"}}), "edge-3 ");
    EXPECT_EQ(names("tunnel.list", {{"owner", ""}}), "edge-2 ");
    EXPECT_EQ(names("tunnel.list", {{"underlay", "u0"}, {"limit", 1}}), "edge-2 ");
    EXPECT_EQ(names("tunnel.list", {{"cursor", "edge-2"}}), "edge-3 ");
    EXPECT_EQ(names("underlay.list", json::object()), "u0 ");
    EXPECT_EQ(names("underlay.list", {{"owner", "file"}}), "");
}

TEST_F(FabricMethods, RemoveTakesStaticEntriesAlong) {
    done("fdb.add", entry("02:00:00:00:00:09"));
    done("tunnel.remove", {{"name", "edge-2"}});
    EXPECT_TRUE(world.engine.configured().static_macs.empty());
    done("underlay.remove", {{"name", "u0"}});
    done("port.remove", {{"name", "uplink0"}});
    EXPECT_TRUE(world.target.model.underlays.empty());
}

TEST_F(FabricMethods, ASegmentRemovedByForceLeavesItsTunnels) {
    done("fdb.add", entry("02:00:00:00:00:09"));
    expect_refusal(call("segment.remove", {{"name", "blue"}}), ErrorCode::in_use, "/name");
    done("segment.remove", {{"name", "blue"}, {"force", true}});
    EXPECT_TRUE(world.engine.configured().tunnels.at("edge-2").segments.empty());
    EXPECT_TRUE(world.engine.configured().static_macs.empty());
}

TEST_F(FabricMethods, EntriesBehindTunnels) {
    const char* mac = "02:00:00:00:00:09";
    EXPECT_EQ(done("fdb.add", entry(mac))["object"]["ips"], json({"10.1.0.9"}));
    expect_refusal(call("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:0a"}, {"tunnel", "edge-9"}}),
                   ErrorCode::not_found, "/tunnel");
    expect_refusal(call("fdb.add", {{"segment", "red"}, {"mac", mac}, {"tunnel", "edge-2"}}), ErrorCode::invalid_params,
                   "/tunnel");
    expect_refusal(call("fdb.add", {{"segment", "blue"}, {"mac", mac}}), ErrorCode::invalid_params, "/port");
    world.target.learned = {
        {.segment = "blue", .mac = MacAddress(0x020000000005), .port = "web", .tunnel = {}, .vlan = {}},
        {.segment = "blue",
         .mac = *MacAddress::parse(mac),
         .port = {},
         .tunnel = "edge-2",
         .vlan = {},
         .is_static = true}};
    const json items = done("fdb.list", {{"tunnel", "edge-2"}})["items"];
    EXPECT_EQ(items, json::parse(R"([{"segment": "blue", "mac": "02:00:00:00:00:09", "port": null, "tunnel": "edge-2",
                                      "vlan": null, "static": true, "age_s": 0, "ips": ["10.1.0.9"]}])"));
    EXPECT_EQ(done("fdb.list", json::object())["items"][0]["tunnel"], nullptr);
    expect_refusal(call("fdb.list", {{"tunnel", "edge-9"}}), ErrorCode::not_found, "/tunnel");
    expect_refusal(call("fdb.flush", {{"tunnel", "edge-9"}}), ErrorCode::not_found, "/tunnel");
    EXPECT_EQ(done("fdb.flush", {{"tunnel", "edge-2"}})["removed"], 1);
    done("fdb.remove", {{"segment", "blue"}, {"mac", mac}});
}

TEST_F(FabricMethods, StatisticsOfTunnels) {
    world.target.traffic.tx_packets = 7;
    const json all = done("stats.get", json::object()), one = done("stats.get", {{"tunnel", "edge-2"}});
    ASSERT_EQ(all["tunnels"].size(), 1U);
    EXPECT_EQ(all["tunnels"][0]["name"], "edge-2");
    EXPECT_EQ(one["tunnels"][0]["tx_packets"], 7);
    EXPECT_EQ(one.size(), 1U);
    EXPECT_FALSE(done("stats.get", {{"port", "web"}}).contains("tunnels"));
    expect_refusal(call("stats.get", {{"tunnel", "edge-9"}}), ErrorCode::not_found, "/tunnel");
}

TEST_F(FabricMethods, ConfigGetRoundTripsAndApplyTakesItAway) {
    done("fdb.add", entry("02:00:00:00:00:09"));
    json got = done("config.get", {{"owner", ""}});
    EXPECT_EQ(got["tunnels"].size(), 1U);
    EXPECT_EQ(got["underlays"].size(), 1U);
    EXPECT_TRUE(done("config.apply", {{"config", got}})["changes"].empty());
    got["tunnels"][0]["segments"] = {"blue", "green"};
    expect_refusal(call("config.apply", {{"config", got}}), ErrorCode::not_found, "/config/tunnels/0/segments/1");
    got["tunnels"] = got["underlays"] = got["fdb"] = json::array();
    const json tried = done("config.apply", {{"config", got}, {"dry_run", true}});
    EXPECT_EQ(tried["changes"].size(), 3U);
    EXPECT_EQ(world.engine.configured().tunnels.size(), 1U);
    EXPECT_EQ(done("config.apply", {{"config", got}})["changes"], tried["changes"]);
    EXPECT_TRUE(world.target.model.underlays.empty());
}

TEST_F(FabricMethods, UnderlaysAreTheAdminsAlone) {
    json config = done("config.get", {{"owner", ""}});
    config["underlays"][0]["mtu"] = 9000;
    expect_refusal(call("config.apply", {{"config", config}}, oper), ErrorCode::denied, "/config/underlays/0/name");
    config["underlays"][0]["mtu"] = 1500;
    config["tunnels"][0]["ttl"] = 9;
    EXPECT_TRUE(call("config.apply", {{"config", config}}, oper)) << "tunnels are an operator's";
    EXPECT_TRUE(call("tunnel.remove", {{"name", "edge-2"}}, oper));
}

TEST_F(FabricMethods, TenantsKnowOfNoTunnel) {
    const char* mac = "02:00:00:00:00:09";
    done("fdb.add", entry(mac));
    expect_refusal(call("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:0a"}, {"tunnel", "edge-2"}}, acme),
                   ErrorCode::not_found, "/tunnel");
    expect_refusal(call("fdb.remove", {{"segment", "blue"}, {"mac", mac}}, acme), ErrorCode::not_found, "/mac");
    expect_refusal(call("fdb.flush", {{"tunnel", "edge-2"}}, acme), ErrorCode::not_found, "/tunnel");
    expect_refusal(call("stats.get", {{"tunnel", "edge-2"}}, acme), ErrorCode::not_found, "/tunnel");
    EXPECT_FALSE(call("stats.get", json::object(), acme)->contains("tunnels"));
    world.target.learned = {
        {.segment = "blue", .mac = *MacAddress::parse(mac), .port = {}, .tunnel = "edge-2", .vlan = {}}};
    const json shown = *call("fdb.list", json::object(), acme);
    EXPECT_EQ(shown["items"][0]["mac"], mac);
    EXPECT_EQ(shown["items"][0]["tunnel"], nullptr);

    done("port.remove", {{"name", "web"}});
    const auto removed = call("segment.remove", {{"name", "blue"}, {"force", true}}, acme);
    expect_refusal(removed, ErrorCode::in_use, "/name");
    EXPECT_EQ(removed.error().message, "segment \"blue\" is in use by tunnel of somebody else");
    EXPECT_EQ(world.engine.configured().static_macs.size(), 1U);
}

TEST_F(FabricMethods, TheFilesTunnelsDoNotChangeAtRunTime) {
    expect_refusal(call("underlay.set", {{"name", "u0"}, {"owner", "file"}}), ErrorCode::denied, "/owner");
    expect_refusal(call("tunnel.set", {{"name", "edge-2"}, {"owner", "file"}}), ErrorCode::denied, "/owner");
}

}  // namespace
}  // namespace bulkhead::methods
