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
        .stages = {{.stage = "parse", .decision = "read"},
                   {.stage = "apply_policy", .decision = "allowed", .rule = "web", .ground = Ground::rule}},
        .receivers = {{.place = {.port = "x", .tunnel = {}, .vlan = 7},
                       .reason = DropReason::policy_default,
                       .ground = Ground::none}}};
    EXPECT_EQ(done("packet.explain", packet()), json::parse(R"({
        "verdict": "forward", "reason": null, "segment": "blue", "egress": ["db-0", "tunnel:n2"],
        "receivers": [{"port": "x", "tunnel": null, "vlan": 7, "reason": "policy_default", "rule": null, "ground": "none"}],
        "stages": [{"stage": "parse", "decision": "read", "reason": null},
                   {"stage": "apply_policy", "decision": "allowed", "reason": null, "rule": "web", "ground": "rule"}]})"));
    world.target.explanation = {.verdict = PacketVerdict::drop, .reason = DropReason::truncated};
    const json dropped = done("packet.explain", packet());
    EXPECT_EQ(dropped["verdict"], "drop");
    EXPECT_EQ(dropped["reason"], "truncated");
    EXPECT_EQ(dropped["segment"], nullptr);
}

}  // namespace
}  // namespace bulkhead::methods
