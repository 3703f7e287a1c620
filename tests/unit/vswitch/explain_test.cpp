// SPDX-License-Identifier: Apache-2.0
// What packet.explain says, stage by stage: the same that then happens, and nothing happens by asking.
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/link_frames.h"

namespace bulkhead::test {
namespace {

/// A datagram from station 1 to another, or to everybody.
Bytes datagram(unsigned to) {
    Bytes bytes = frame(to, 1, {}, 0);
    const Bytes packet = {0x45, 0, 0,  28, 0, 0, 0,    0,    64, 17, 0, 0, 10, 1,
                          0,    1, 10, 1,  0, 2, 0x13, 0x88, 0,  53, 0, 8, 0,  0};
    bytes.insert(bytes.end(), packet.begin(), packet.end());
    return bytes;
}

/// What a frame could change by being sent.
struct Traces {
    WorkerStats books;
    std::size_t macs, connections;
    unsigned buffers;
    std::uint64_t rule_hits;
};

class Explained : public testing::Test {
  protected:
    Explained() {
        bench.segment("blue", 100);
        for (const char* port : {"a", "b", "c"}) bench.access(port, "blue");
    }

    Traces traces() {
        return {.books = bench.vswitch().worker_stats(0),
                .macs = bench.vswitch().mac_count(),
                .connections = bench.vswitch().connection_count(),
                .buffers = rte_mempool_avail_count(test_buffers()),
                .rule_hits = bench.vswitch().rule_hits("blue", "rule").packets};
    }

    PacketExplanation explain(const std::string& port, const Bytes& frame, std::optional<std::uint16_t> vlan = {}) {
        const Traces before = traces();
        auto said = bench.vswitch().explain_packet({.port = port, .frame = frame, .vlan = vlan});
        EXPECT_TRUE(said) << said.error().message;
        bench.run();
        const Traces after = traces();
        EXPECT_EQ(after.books.received, before.books.received);
        EXPECT_EQ(after.books.originated, before.books.originated);
        EXPECT_EQ(after.books.transmitted, before.books.transmitted);
        EXPECT_EQ(after.books.consumed, before.books.consumed);
        EXPECT_EQ(after.books.drops, before.books.drops);
        EXPECT_EQ(after.macs, before.macs);
        EXPECT_EQ(after.connections, before.connections);
        EXPECT_EQ(after.buffers, before.buffers);
        EXPECT_EQ(after.rule_hits, before.rule_hits);
        return said ? *said : PacketExplanation();
    }

    /// What is said agrees with what then happens.
    PacketExplanation agreed(const std::string& port, const Bytes& frame, std::optional<std::uint16_t> vlan = {}) {
        PacketExplanation said = explain(port, frame, vlan);
        Bytes sent = frame;
        if (vlan) sent.insert(sent.begin() + 12, {0x81, 0, 0, static_cast<std::uint8_t>(*vlan)});
        const std::uint64_t dropped = said.reason == DropReason::none ? 0 : bench.drops(said.reason);
        std::set<std::string> ports, left;
        for (const auto& [name, frames] : bench.pass(port, sent)) left.insert(name);
        for (const FramePlace& place : said.egress) ports.insert(place.port);
        EXPECT_EQ(ports, left);
        EXPECT_EQ(said.verdict == PacketVerdict::drop, left.empty());
        if (said.reason != DropReason::none) {
            EXPECT_EQ(bench.drops(said.reason), dropped + 1) << to_string(said.reason);
        }
        return said;
    }

    static const StageDecision& stage(const PacketExplanation& said, std::string_view name) {
        for (const StageDecision& decision : said.stages)
            if (decision.stage == name) return decision;
        ADD_FAILURE() << "no stage " << name;
        static const StageDecision none;
        return none;
    }
    static std::string stages(const PacketExplanation& said) {
        std::string text;
        for (const StageDecision& decision : said.stages) text += decision.stage + " ";
        return text;
    }

    Policy& rule(const std::string& name, PolicyAction action) {
        Policy& policy = bench.model.policies[{"blue", name}];
        policy.segment = "blue";
        policy.name = name;
        policy.action = action;
        return policy;
    }

    Bench bench;
};

TEST_F(Explained, TheWayOfAFrameThatIsFloodedAndOfOneThatIsKnown) {
    bench.apply();
    PacketExplanation said = agreed("a", frame(2, 1));
    EXPECT_EQ(said.verdict, PacketVerdict::forward);
    EXPECT_EQ(said.segment, "blue");
    EXPECT_EQ(stages(said), "parse assign_segment learn lookup replicate ");
    EXPECT_EQ(stage(said, "parse").decision, "02:00:00:00:00:01 to 02:00:00:00:00:02");
    EXPECT_EQ(stage(said, "assign_segment").decision, "segment blue, in by port a");
    EXPECT_EQ(stage(said, "learn").decision, "the source would be learned here");
    EXPECT_EQ(stage(said, "lookup").decision, "the destination is unknown: to everybody in the segment");
    EXPECT_EQ(stage(said, "replicate").decision, "leaves by 2 of 2 others in the segment");
    ASSERT_EQ(said.receivers.size(), 2U);

    said = agreed("b", frame(1, 2));
    EXPECT_EQ(stage(said, "lookup").decision, "to port a");
    EXPECT_TRUE(said.receivers.empty());
    said = agreed("a", frame(2, 1));
    EXPECT_EQ(stage(said, "learn").decision, "the source is known here");
    said = explain("c", frame(2, 1));
    EXPECT_EQ(stage(said, "learn").decision, "the source would move here; it is known at port a");
}

TEST_F(Explained, EachStageThatDropsIsTheLast) {
    Attachment& owner = bench.model.ports["b"].attachments[0];
    owner.macs = {MacAddress::from_octets(mac_bytes(2).data())};
    bench.apply();
    PacketExplanation said = agreed("a", Bytes(9, 0));
    EXPECT_EQ(said.reason, DropReason::truncated);
    EXPECT_EQ(stages(said), "parse ");
    EXPECT_EQ(said.segment, "");
    said = agreed("a", frame(2, 1, {{.vid = 7}}));
    EXPECT_EQ(said.reason, DropReason::tagged_frame);
    EXPECT_EQ(stages(said), "parse assign_segment ");
    said = agreed("a", frame(2, 1, {}, 1501));
    EXPECT_EQ(said.reason, DropReason::mtu_exceeded);
    EXPECT_EQ(said.segment, "blue");
    said = agreed("a", frame(1, 2));
    EXPECT_EQ(said.reason, DropReason::source_mac_owned);
    EXPECT_EQ(stages(said), "parse assign_segment learn ");
    owner.security = PortSecurity::mac;
    bench.model.segments["blue"].flood = FloodMode::none;
    bench.apply();
    said = agreed("b", frame(1, 3));
    EXPECT_EQ(said.reason, DropReason::spoofed_mac);
    EXPECT_EQ(stages(said), "parse assign_segment check_port_security ");
    said = agreed("a", frame(0xff, 1));
    EXPECT_EQ(said.reason, DropReason::flood_disabled);
    EXPECT_TRUE(said.egress.empty());
}

TEST_F(Explained, ATagIsPutOnBefore) {
    bench.trunk("t");
    bench.vlan("t", 7, "blue");
    bench.apply();
    const PacketExplanation said = agreed("t", frame(2, 1), 7);
    EXPECT_EQ(stage(said, "assign_segment").decision, "segment blue, in by port t, VLAN 7");
    EXPECT_EQ(said.egress.size(), 3U);
    EXPECT_EQ(agreed("t", frame(2, 1), 8).reason, DropReason::unknown_vlan);
    EXPECT_EQ(agreed("t", frame(2, 1)).reason, DropReason::no_attachment);
    const PacketExplanation back = agreed("a", frame(1, 2));
    ASSERT_EQ(back.egress.size(), 1U);
    EXPECT_EQ(back.egress[0].vlan, 7);
}

TEST_F(Explained, ReceiversOfAFloodHaveTheirOwnVerdicts) {
    bench.model.segments["blue"].default_policy = DefaultPolicy::deny;
    bench.model.groups[{"blue", "web"}] = {.owner = {}, .segment = "blue", .name = "web", .id = 1};
    bench.model.ports["b"].attachments[0].group = "web";
    for (const char* port : {"a", "c"}) bench.model.ports[port].attachments[0].isolated = true;
    bench.access("d", "blue");
    Policy& to_web = rule("rule", PolicyAction::allow);
    to_web.to.groups = {"web"};
    to_web.stateful = false;
    bench.apply();
    const PacketExplanation said = agreed("a", datagram(0xff));
    ASSERT_EQ(said.egress.size(), 1U);
    EXPECT_EQ(said.egress[0].port, "b");
    std::map<std::string, std::string> verdicts;
    for (const ReceiverDecision& receiver : said.receivers)
        verdicts[receiver.place.port] = std::string(to_string(receiver.reason)) + " " + receiver.rule;
    EXPECT_EQ(verdicts,
              (std::map<std::string, std::string>{{"b", "none rule"}, {"c", "isolated "}, {"d", "policy_default "}}));
    EXPECT_EQ(stage(said, "apply_policy").rule, "rule");
}

TEST_F(Explained, WhatARuleRedirectsAndWhatItsConnectionLetsThrough) {
    bench.access("ids", "blue");
    Policy& through = rule("rule", PolicyAction::redirect);
    through.to_port = "ids";
    bench.apply();
    bench.pass("b", frame(1, 2));
    const Bytes query = datagram(2);
    PacketExplanation said = agreed("a", query);
    EXPECT_EQ(stage(said, "apply_policy").decision,
              "rule rule redirects it to port ids, and a connection would be opened");
    EXPECT_EQ(stage(said, "apply_policy").ground, Ground::rule);
    said = agreed("a", query);
    EXPECT_EQ(stage(said, "apply_policy").decision, "of a connection that rule rule let through");
    EXPECT_EQ(stage(said, "apply_policy").ground, Ground::connection);
    said = agreed("ids", query);
    EXPECT_EQ(stage(said, "learn").decision, "comes back from a middlebox: the source stays known at port a");
    EXPECT_EQ(said.egress[0].port, "b");
}

TEST_F(Explained, WhatTheSwitchAnswersItself) {
    bench.model.segments["blue"].arp_suppression = true;
    bench.model.static_macs[{"blue", MacAddress::from_octets(mac_bytes(9).data())}] = {
        .owner = {},
        .segment = "blue",
        .mac = MacAddress::from_octets(mac_bytes(9).data()),
        .port = "b",
        .tunnel = {},
        .ips = {*IpAddress::parse("10.1.0.9")}};
    const Bytes request = arp_frame({.sender = 1, .sender_ip = "10.1.0.1", .target_ip = "10.1.0.9"});
    bench.apply();
    PacketExplanation said = agreed("a", request);
    EXPECT_EQ(said.verdict, PacketVerdict::answer);
    EXPECT_EQ(stages(said), "parse assign_segment learn lookup answer_requests ");
    bench.model.segments["blue"].flood = FloodMode::none;
    bench.apply();
    said = agreed("a", request);
    EXPECT_EQ(said.verdict, PacketVerdict::answer);
    EXPECT_EQ(said.reason, DropReason::none);
}

TEST_F(Explained, WhatCannotBeAskedIsRefused) {
    bench.underlay("nic");
    bench.apply();
    const auto error = [&](const std::string& port, std::size_t length) {
        const auto said = bench.vswitch().explain_packet({.port = port, .frame = Bytes(length, 2), .vlan = {}});
        EXPECT_FALSE(said);
        return said ? Error() : said.error();
    };
    EXPECT_EQ(error("none", 60).code, ErrorCode::not_found);
    EXPECT_EQ(error("nic", 60).field, "/port");
    EXPECT_EQ(error("a", PacketQuestion::kLongest + 1).field, "/frame");
    EXPECT_EQ(agreed("a", frame(2, 1, {}, PacketQuestion::kLongest - 14)).reason, DropReason::mtu_exceeded)
        << "in several buffers";
    EXPECT_EQ(agreed("a", Bytes()).reason, DropReason::truncated);
    bench.model.ports["lost"] = bench.model.ports["a"];
    bench.model.ports["lost"].name = "lost";
    bench.apply();
    EXPECT_EQ(error("lost", 60).code, ErrorCode::not_ready);
}

}  // namespace
}  // namespace bulkhead::test
