// SPDX-License-Identifier: Apache-2.0
// stats.get, drop.list, system.get
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class Statistics : public Desk {
  protected:
    Statistics() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("port.add", guest("web", "blue"));
        done("port.add", {{"name", "lone"}, {"type", "tap"}, {"ifname", "t0"}});
        world.target.traffic.drops[static_cast<std::size_t>(DropReason::unknown_vlan)] = 4;
        world.target.worker.received = 10;
        world.target.worker.drops[static_cast<std::size_t>(DropReason::unknown_vlan)] = 3;
        DropRow by_port{.port = "lone", .segment = ""}, by_segment{.port = "web", .segment = "blue"};
        by_port.drops[static_cast<std::size_t>(DropReason::truncated)] = 5;
        by_segment.drops[static_cast<std::size_t>(DropReason::isolated)] = 6;
        by_segment.drops[static_cast<std::size_t>(DropReason::same_port)] = 7;
        world.target.drop_rows = {by_port, by_segment};
    }
};

TEST_F(Statistics, ShowAllOrWhatIsAskedFor) {
    const json all = done("stats.get", json::object());
    EXPECT_EQ(all["ports"].size(), 2U);
    EXPECT_EQ(all["segments"].size(), 1U);
    EXPECT_EQ(all["workers"].size(), 2U);
    EXPECT_EQ(all["ports"][0]["drops"], json::parse(R"({"unknown_vlan": 4})"));
    EXPECT_EQ(all["workers"][0]["dropped"], 3);
    const json one = done("stats.get", {{"port", "web"}});
    EXPECT_EQ(one["ports"].size(), 1U);
    EXPECT_FALSE(one.contains("segments"));
    EXPECT_FALSE(one.contains("workers"));
    EXPECT_EQ(done("stats.get", {{"worker", 1}})["workers"][0]["worker"], 1);
    expect_refusal(call("stats.get", {{"worker", 2}}), ErrorCode::not_found, "/worker");
    expect_refusal(call("stats.get", {{"worker", -1}}), ErrorCode::not_found, "/worker");
    expect_refusal(call("stats.get", {{"port", "none"}}), ErrorCode::not_found, "/port");
}

TEST_F(Statistics, DropsAreListedByPortSegmentAndReason) {
    const json all = done("drop.list", json::object())["items"];
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0], json({{"port", "lone"},
                            {"tunnel", nullptr},
                            {"segment", nullptr},
                            {"reason", "truncated"},
                            {"help", "shorter than the Ethernet and VLAN headers it claims"},
                            {"packets", 5}}));
    EXPECT_EQ(done("drop.list", {{"segment", "blue"}, {"reason", "isolated"}})["items"][0]["packets"], 6);
    expect_refusal(call("drop.list", {{"reason", "bad_luck"}}), ErrorCode::invalid_params, "/reason");
    const json first = done("drop.list", {{"limit", 2}});
    EXPECT_EQ(first["items"].size(), 2U);
    const json second = done("drop.list", {{"limit", 2}, {"cursor", first["cursor"]}});
    EXPECT_EQ(second["items"].size(), 1U);
    EXPECT_EQ(second["cursor"], nullptr);
    EXPECT_EQ((*call("drop.list", json::object(), acme))["items"].size(), 2U);
}

TEST_F(Statistics, DropsOfTunnelsAreNamedToWhoMayKnowOfThem) {
    done("port.add", {{"name", "uplink0"}, {"type", "ethdev"}, {"devargs", "net_null0"}});
    done("underlay.add", {{"name", "u0"}, {"port", "uplink0"}, {"addresses", {"192.0.2.1/24"}}});
    done("segment.set", {{"name", "blue"}, {"mtu", 1450}});
    done("tunnel.add",
         {{"name", "n2"}, {"type", "vxlan"}, {"underlay", "u0"}, {"remote", "192.0.2.2"}, {"segments", {"blue"}}});
    DropRow row{.port = "", .tunnel = "n2", .segment = "blue"};
    row.drops[static_cast<std::size_t>(DropReason::no_neighbor)] = 8;
    world.target.drop_rows = {row};
    const json shown = done("drop.list", json::object())["items"][0];
    EXPECT_EQ(shown["port"], nullptr);
    EXPECT_EQ(shown["tunnel"], "n2");
    const json hidden = (*call("drop.list", json::object(), acme))["items"][0];
    EXPECT_EQ(hidden["tunnel"], nullptr);
    EXPECT_EQ(hidden["packets"], 8);
}

TEST_F(Statistics, DropsOfHiddenPortsHaveNoNameAndAddUp) {
    done("segment.add", {{"name", "red"}, {"vni", 2}, {"tenant", "other"}});
    for (const char* name : {"fw", "lb"}) {
        json port = guest(name, "blue");
        port["vlans"] = json::parse(R"([{"vlan": 5, "segment": "red"}])");
        done("port.add", port);
    }
    for (const char* name : {"fw", "lb"}) {
        DropRow row{.port = name, .segment = "blue"};
        row.drops[static_cast<std::size_t>(DropReason::isolated)] = 20;
        world.target.drop_rows.push_back(row);
    }
    json params = {{"limit", 1}};
    std::vector<json> rows;
    while (rows.size() < 4) {
        const json answer = *call("drop.list", params, acme);
        EXPECT_EQ(answer.dump().find("fw"), std::string::npos) << answer.dump();
        rows.push_back(answer["items"][0]);
        if (answer["cursor"].is_null()) break;
        params["cursor"] = answer["cursor"];
    }
    ASSERT_EQ(rows.size(), 3U) << "no row twice, none left out";
    EXPECT_EQ(rows[0]["port"], nullptr);
    EXPECT_EQ(rows[0]["packets"], 40);
    EXPECT_EQ(rows[1]["port"], "web");
    for (const char* port : {"fw", "lone", "absent"})
        expect_refusal(call("drop.list", {{"port", port}}, acme), ErrorCode::not_found, "/port");
    for (const char* segment : {"red", "absent"})
        expect_refusal(call("drop.list", {{"segment", segment}}, acme), ErrorCode::not_found, "/segment");
    expect_refusal(call("drop.list", {{"port", "absent"}}), ErrorCode::not_found, "/port");
    expect_refusal(call("drop.list", {{"segment", "absent"}}), ErrorCode::not_found, "/segment");
}

TEST_F(Statistics, SystemSaysWhereEachPortIsPolled) {
    const json system = done("system.get", json::object());
    EXPECT_EQ(system["dpdk"], "DPDK 22.11");
    EXPECT_EQ(system["generation"], 3);
    EXPECT_FALSE(system["node"].get<std::string>().empty());
    EXPECT_EQ(system["workers"][0], json::parse(R"({"worker": 0, "core": 3, "ports": []})"));
    EXPECT_EQ(system["workers"][1], json::parse(R"({"worker": 1, "core": 5, "ports": ["lone", "web"]})"));
}

}  // namespace
}  // namespace bulkhead::methods
