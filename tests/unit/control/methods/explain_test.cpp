// SPDX-License-Identifier: Apache-2.0
// How questions about frames and rules are asked, and how the answers are shown.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class Explaining : public Desk {
  protected:
    Explaining() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("port.add", guest("web-0", "blue"));
    }
    static json packet(const json& more = json::object()) {
        json params = {{"port", "web-0"}, {"frame", "020000000002020000000001080045"}};
        params.update(more);
        return params;
    }
};

TEST_F(Explaining, APacketIsAskedAboutByItsOctets) {
    done("packet.explain", packet({{"frame", "00aBFf"}, {"vlan", 7}}));
    EXPECT_EQ(world.target.asked.port, "web-0");
    EXPECT_EQ(world.target.asked.frame, (std::vector<std::uint8_t>{0, 0xab, 0xff}));
    EXPECT_EQ(world.target.asked.vlan, 7);
    done("packet.explain", packet());
    EXPECT_FALSE(world.target.asked.vlan);
    EXPECT_EQ(audited.size(), 2U) << "asking is no change";
}

TEST_F(Explaining, APacketThatIsNoneIsRefused) {
    expect_refusal(call("packet.explain", packet({{"port", "none"}})), ErrorCode::not_found, "/port");
    expect_refusal(call("packet.explain", packet({{"frame", ""}})), ErrorCode::invalid_params, "/frame");
    expect_refusal(call("packet.explain", packet({{"frame", "020"}})), ErrorCode::invalid_params, "/frame");
    const auto bad = call("packet.explain", packet({{"frame", "02 0"}}));
    expect_refusal(bad, ErrorCode::invalid_params, "/frame");
    EXPECT_EQ(bad.error().message, "frame is not in hexadecimal at digit 3");
    const auto longest = call("packet.explain", packet({{"frame", std::string(20'000, '0')}}));
    expect_refusal(longest, ErrorCode::invalid_params, "/frame");
    EXPECT_EQ(longest.error().allowed, "at most 9238 octets");
    for (const int vlan : {0, -1, 4095})
        expect_refusal(call("packet.explain", packet({{"vlan", vlan}})), ErrorCode::invalid_params, "/vlan");
}

TEST_F(Explaining, EveryStageIsShown) {
    world.target.explanation = {
        .verdict = PacketVerdict::forward,
        .segment = "blue",
        .egress = {{.port = "db-0", .tunnel = {}, .vlan = {}}, {.port = {}, .tunnel = "n2", .vlan = {}}},
        .mirrors = {"ids"},
        .stages = {{.stage = "parse", .decision = "read"},
                   {.stage = "apply_policy", .decision = "allowed", .rule = "web", .ground = Ground::rule}},
        .receivers = {{.place = {.port = "x", .tunnel = {}, .vlan = 7},
                       .reason = DropReason::policy_default,
                       .ground = Ground::none}}};
    EXPECT_EQ(done("packet.explain", packet()), json::parse(R"({
        "verdict": "forward", "reason": null, "segment": "blue", "egress": ["db-0", "tunnel:n2"], "mirrors": ["ids"],
        "receivers": [{"port": "x", "tunnel": null, "vlan": 7, "reason": "policy_default", "rule": null, "ground": "none"}],
        "stages": [{"stage": "parse", "decision": "read", "reason": null},
                   {"stage": "apply_policy", "decision": "allowed", "reason": null, "rule": "web", "ground": "rule"}]})"));
    world.target.explanation = {.verdict = PacketVerdict::drop, .reason = DropReason::truncated};
    const json dropped = done("packet.explain", packet());
    EXPECT_EQ(dropped["verdict"], "drop");
    EXPECT_EQ(dropped["reason"], "truncated");
    EXPECT_EQ(dropped["segment"], nullptr);
}

class Rules : public Explaining {
  protected:
    Rules() {
        done("segment.set", {{"name", "blue"}, {"default_policy", "deny"}});
        for (const auto& [group, id] : {std::pair("web", 1), {"db", 2}})
            done("group.add", {{"segment", "blue"}, {"name", group}, {"id", id}});
        done("port.set", {{"name", "web-0"}, {"group", "web"}});
        add("sql", 2, "allow",
            {{"from", {{"groups", {"web"}}}},
             {"to", {{"ips", {"10.0.0.0/24"}}}},
             {"protocol", "tcp"},
             {"dst_ports", {"5432"}}});
        add("last", 3, "deny", {{"ethertype", "ipv4"}});
    }
    void add(const char* name, int order, const char* action, const json& more) {
        json rule = {{"segment", "blue"}, {"name", name}, {"order", order}, {"action", action}};
        rule.update(more);
        done("policy.add", rule);
    }
    /// TCP from web to 10.0.0.5:5432.
    static json fields(const json& more = json::object()) {
        json object = {
            {"from_group", "web"}, {"protocol", "tcp"}, {"destination", "10.0.0.5"}, {"destination_port", 5432}};
        object.merge_patch(more);
        return {{"segment", "blue"}, {"fields", object}};
    }
    /// That the first rule does not decide.
    json why(const json& more) { return done("policy.explain", fields(more))["steps"][0]["why"]; }
    void install(std::string rule, Ground ground, bool passes) {
        world.target.installed = {.rule = std::move(rule), .ground = ground, .passes = passes};
    }
};

TEST_F(Rules, TheOneThatDecidesAndTheFieldThatDoesNotMatch) {
    install("sql", Ground::rule, true);
    EXPECT_EQ(done("policy.explain", fields()), json::parse(R"({
        "action": "allow", "rule": "sql", "ground": "rule", "from_group": "web", "to_group": null, "agrees": true,
        "steps": [{"rule": "sql", "matches": true, "why": null}]})"));
    EXPECT_EQ(world.target.asked_rules.flow.service, 5432);

    install("last", Ground::rule, false);
    const json denied = done("policy.explain", fields({{"destination_port", 80}}));
    EXPECT_EQ(denied["action"], "deny");
    EXPECT_EQ(denied["rule"], "last");
    EXPECT_EQ(denied["agrees"], true);
    EXPECT_EQ(denied["steps"],
              json::parse(R"([{"rule": "sql", "matches": false, "why": "dst_ports: 80 is not among them"},
                                               {"rule": "last", "matches": true, "why": null}])"));
    EXPECT_EQ(why({{"from_group", ""}}), "from.groups: no group is not among them");
    EXPECT_EQ(why({{"from_group", "db"}}), "from.groups: db is not among them");
    EXPECT_EQ(why({{"destination", "10.0.1.5"}}), "to.ips: 10.0.1.5 is not among them");
    EXPECT_EQ(why({{"protocol", "udp"}}), "protocol: the packet's is 17");
    EXPECT_EQ(why({{"tcp_flags", "A"}}), "it is stateful, and the frame does not open a connection");
    EXPECT_EQ(why({{"destination", nullptr}, {"protocol", nullptr}, {"ethertype", "0x88cc"}}),
              "to.ips: the frame is not IP");
}

TEST_F(Rules, WhatNoneDecides) {
    install("", Ground::none, false);
    const json v6 = done("policy.explain", fields({{"destination", "fd00::1"}}));
    EXPECT_EQ(v6["action"], "deny");
    EXPECT_EQ(v6["rule"], nullptr);
    EXPECT_EQ(v6["ground"], "none");
    EXPECT_EQ(v6["agrees"], true);
    install("", Ground::resolution, true);
    const json arp =
        done("policy.explain", fields({{"destination", nullptr}, {"protocol", nullptr}, {"ethertype", "arp"}}));
    EXPECT_EQ(arp["action"], "allow");
    EXPECT_EQ(arp["agrees"], true);
    EXPECT_EQ(arp["steps"][1]["why"], "only rules that name ARP or Neighbor Discovery are asked about it");
}

TEST_F(Rules, InstalledOnesThatSayOtherwiseAreTold) {
    install("last", Ground::rule, false);
    const json said = done("policy.explain", fields());
    EXPECT_EQ(said["agrees"], false);
    EXPECT_EQ(said["installed"], json::parse(R"({"passes": false, "ground": "rule", "rule": "last"})"));
    EXPECT_TRUE(said.contains("warning"));
}

TEST_F(Rules, TheGroupsOfAFrameAreThoseOfWhoIsThere) {
    world.target.learned = {
        {.segment = "blue", .mac = MacAddress(0x0200'0000'0001), .port = "web-0", .tunnel = {}, .vlan = {}}};
    const json frame = {{"segment", "blue"}, {"frame", "02000000000202000000000188cc00"}};
    EXPECT_EQ(done("policy.explain", frame)["from_group"], "web");
    EXPECT_EQ(done("policy.explain", frame)["to_group"], nullptr);
    json other = frame;
    other["fields"] = {{"from_group", "db"}};
    EXPECT_EQ(done("policy.explain", other)["from_group"], "db");
}

TEST_F(Rules, WhatCannotBeAskedIsRefused) {
    const auto refused = [&](const json& params, std::string_view field, ErrorCode code = ErrorCode::invalid_params) {
        expect_refusal(call("policy.explain", params), code, field);
    };
    refused({{"segment", "none"}, {"frame", "00"}}, "/segment", ErrorCode::not_found);
    refused({{"segment", "blue"}}, "/frame");
    refused({{"segment", "blue"}, {"frame", "00"}}, "/frame");
    refused({{"segment", "blue"}, {"frame", "00"}, {"fields", {{"protocol", "tcp"}}}}, "/fields/protocol");
    refused(fields({{"from_group", "none"}}), "/fields/from_group", ErrorCode::not_found);
    refused(fields({{"protocol", nullptr}}), "/fields/protocol");
    refused(fields({{"protocol", "nonsense"}}), "/fields/protocol");
    refused(fields({{"source", "fd00::1"}, {"ethertype", "ipv4"}}), "/fields/source");
    refused(fields({{"destination", "10.0.0"}}), "/fields/destination");
    refused(fields({{"tcp_flags", "SX"}}), "/fields/tcp_flags");
    refused(fields({{"port", 5}}), "/fields/port");
    refused(fields({{"destination_port", 70'000}}), "/fields/destination_port");
    done("segment.add", {{"name", "red"}, {"vni", 2}});
    json red = fields();
    red["segment"] = "red";
    expect_refusal(call("policy.explain", red, acme), ErrorCode::not_found, "/segment");
}

}  // namespace
}  // namespace bulkhead::methods
