// SPDX-License-Identifier: Apache-2.0
// Packet in, packets out: what every port sends, and every other port's silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;
using Sent = std::map<std::string, std::vector<Bytes>>;

/// Two segments of the same shape; trunk "t" has blue on VLAN 10 and red on VLAN 20.
struct Forwarding : testing::Test {
    Forwarding() {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        for (const char* name : {"b1", "b2"}) bench.access(name, "blue");
        for (const char* name : {"r1", "r2"}) bench.access(name, "red");
        bench.trunk("t");
        bench.vlan("t", 10, "blue");
        bench.vlan("t", 20, "red");
        bench.apply();
    }
    Bench bench;
};

struct Case {
    const char* name;
    const char* port;
    Bytes in;
    Sent out;
    DropReason drop = DropReason::none;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.name;
}

Bytes with_address(Bytes bytes, std::size_t at, const Bytes& address) {
    std::copy(address.begin(), address.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
}

Bytes cut(Bytes bytes, std::size_t length) {
    bytes.resize(length);
    return bytes;
}

const Bytes kPlain = frame(kBroadcast, 1);
const Bytes kReserved{1, 0x80, 0xc2, 0, 0, 0x0e};
const Bytes kNextToReserved{1, 0x80, 0xc2, 0, 0, 0x10};

const Case kCases[] = {
    {"broadcast reaches its segment, tagged on the trunk",
     "b1",
     kPlain,
     {{"b2", {kPlain}}, {"t", {frame(kBroadcast, 1, {{10}})}}}},
    {"the other segment likewise", "r1", kPlain, {{"r2", {kPlain}}, {"t", {frame(kBroadcast, 1, {{20}})}}}},
    {"unknown unicast floods", "b1", frame(9, 1), {{"b2", {frame(9, 1)}}, {"t", {frame(9, 1, {{10}})}}}},
    {"from the trunk the tag is popped", "t", frame(kBroadcast, 1, {{10}}), {{"b1", {kPlain}}, {"b2", {kPlain}}}},
    {"a tag chooses the segment", "t", frame(kBroadcast, 1, {{20}}), {{"r1", {kPlain}}, {"r2", {kPlain}}}},
    {"untagged on a trunk without untagged attachment", "t", kPlain, {}, DropReason::no_attachment},
    {"a VLAN the trunk does not carry", "t", frame(kBroadcast, 1, {{30}}), {}, DropReason::unknown_vlan},
    {"VLAN 4095", "t", frame(kBroadcast, 1, {{4095}}), {}, DropReason::unknown_vlan},
    {"service tag with a carried number", "t", frame(kBroadcast, 1, {{10, 0x88a8}}), {}, DropReason::unknown_vlan},
    {"second tag behind the trunk's", "t", frame(kBroadcast, 1, {{10}, {20}}), {}, DropReason::tagged_frame},
    {"service tag behind the trunk's", "t", frame(kBroadcast, 1, {{10}, {20, 0x88a8}}), {}, DropReason::tagged_frame},
    {"tagged frame on an access port", "b1", frame(kBroadcast, 1, {{20}}), {}, DropReason::tagged_frame},
    {"with the trunk's own number too", "b1", frame(kBroadcast, 1, {{10}}), {}, DropReason::tagged_frame},
    {"service-tagged frame on an access port",
     "b1",
     frame(kBroadcast, 1, {{20, 0x88a8}}),
     {},
     DropReason::tagged_frame},
    {"0x9100-tagged frame on an access port", "b1", frame(kBroadcast, 1, {{20, 0x9100}}), {}, DropReason::tagged_frame},
    {"priority tag counts as untagged, priority stays on the trunk",
     "b1",
     frame(kBroadcast, 1, {{0, 0x8100, 5}}),
     {{"b2", {kPlain}}, {"t", {frame(kBroadcast, 1, {{10, 0x8100, 5}})}}}},
    {"a tag hidden behind a priority tag", "b1", frame(kBroadcast, 1, {{0}, {20}}), {}, DropReason::tagged_frame},
    {"priority tag on a trunk without untagged attachment",
     "t",
     frame(kBroadcast, 1, {{0}}),
     {},
     DropReason::unknown_vlan},
    {"multicast source", "b1", with_address(kPlain, 6, {3, 0, 0, 0, 0, 1}), {}, DropReason::source_invalid},
    {"broadcast source", "b1", with_address(kPlain, 6, Bytes(6, 0xff)), {}, DropReason::source_invalid},
    {"zero source", "b1", with_address(kPlain, 6, Bytes(6, 0)), {}, DropReason::source_invalid},
    {"LLDP's address stays on its link", "b1", with_address(kPlain, 0, kReserved), {}, DropReason::reserved_multicast},
    {"the address after the reserved ones is ordinary",
     "b1",
     with_address(kPlain, 0, kNextToReserved),
     {{"b2", {with_address(kPlain, 0, kNextToReserved)}},
      {"t", {with_address(frame(kBroadcast, 1, {{10}}), 0, kNextToReserved)}}}},
    {"empty frame", "b1", {}, {}, DropReason::truncated},
    {"addresses and no type", "b1", cut(kPlain, 13), {}, DropReason::truncated},
    {"header only", "b1", cut(kPlain, 14), {{"b2", {cut(kPlain, 14)}}, {"t", {cut(frame(kBroadcast, 1, {{10}}), 18)}}}},
    {"tag cut short", "t", cut(frame(kBroadcast, 1, {{10}}), 16), {}, DropReason::truncated},
    {"inner tag cut short", "t", cut(frame(kBroadcast, 1, {{10}, {20}}), 20), {}, DropReason::truncated},
    {"as long as the MTU",
     "b1",
     frame(kBroadcast, 1, {}, 1500),
     {{"b2", {frame(kBroadcast, 1, {}, 1500)}}, {"t", {frame(kBroadcast, 1, {{10}}, 1500)}}}},
    {"longer than the MTU", "b1", frame(kBroadcast, 1, {}, 1501), {}, DropReason::mtu_exceeded},
    {"a tag does not count against the MTU",
     "t",
     frame(kBroadcast, 1, {{10}}, 1500),
     {{"b1", {frame(kBroadcast, 1, {}, 1500)}}, {"b2", {frame(kBroadcast, 1, {}, 1500)}}}},
};

struct ForwardingCases : Forwarding, testing::WithParamInterface<Case> {};

TEST_P(ForwardingCases, GivesTheExpectedFramesAndNoOthers) {
    const Case& test = GetParam();
    EXPECT_EQ(bench.pass(test.port, test.in), test.out);
    EXPECT_EQ(bench.drops(test.drop), test.drop == DropReason::none ? 0U : 1U) << to_string(test.drop);
}

INSTANTIATE_TEST_SUITE_P(Table, ForwardingCases, testing::ValuesIn(kCases));

TEST_F(Forwarding, KnownUnicastGoesToOnePort) {
    bench.pass("b2", frame(kBroadcast, 2));
    EXPECT_EQ(bench.pass("b1", frame(2, 1)), (Sent{{"b2", {frame(2, 1)}}}));
    EXPECT_EQ(bench.pass("t", frame(2, 3, {{10}})), (Sent{{"b2", {frame(2, 3)}}}));
    EXPECT_EQ(bench.pass("b2", frame(3, 2)), (Sent{{"t", {frame(3, 2, {{10}})}}}));
}

TEST_F(Forwarding, TheSameMacInTwoSegmentsIsTwoStations) {
    bench.pass("b1", frame(kBroadcast, 1));
    bench.pass("r1", frame(kBroadcast, 1));
    EXPECT_EQ(bench.pass("b2", frame(1, 2)), (Sent{{"b1", {frame(1, 2)}}}));
    EXPECT_EQ(bench.pass("r2", frame(1, 2)), (Sent{{"r1", {frame(1, 2)}}}));
}

TEST_F(Forwarding, AFrameForItsOwnPortGoesNowhere) {
    bench.pass("t", frame(kBroadcast, 1, {{10}}));
    EXPECT_EQ(bench.pass("t", frame(1, 2, {{10}})), Sent{});
    EXPECT_EQ(bench.drops(DropReason::same_port), 1U);
}

TEST_F(Forwarding, TranslatesBetweenTrunks) {
    bench.trunk("u");
    bench.vlan("u", 77, "blue");
    bench.apply();
    EXPECT_EQ(bench.pass("t", frame(kBroadcast, 1, {{10, 0x8100, 3}})).at("u"),
              std::vector<Bytes>{frame(kBroadcast, 1, {{77, 0x8100, 3}})});
    EXPECT_EQ(bench.pass("u", frame(1, 5, {{77}})), (Sent{{"t", {frame(1, 5, {{10}})}}}));
}

TEST_F(Forwarding, FloodModeKnownDropsUnknownUnicastOnly) {
    bench.model.segments.at("blue").flood = FloodMode::known;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", frame(9, 1)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::unknown_unicast), 1U);
    EXPECT_EQ(bench.pass("b1", kPlain).size(), 2U);
}

TEST_F(Forwarding, FloodModeNonePassesKnownUnicastOnly) {
    bench.model.segments.at("blue").flood = FloodMode::none;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", kPlain), Sent{});
    EXPECT_EQ(bench.drops(DropReason::flood_disabled), 1U);
    EXPECT_EQ(bench.pass("b2", frame(1, 2)), (Sent{{"b1", {frame(1, 2)}}}));
}

TEST_F(Forwarding, IsolatedAttachmentsTalkOnlyToOthers) {
    for (const char* name : {"b1", "b2"}) bench.model.ports.at(name).attachments[0].isolated = true;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", kPlain), (Sent{{"t", {frame(kBroadcast, 1, {{10}})}}}));
    bench.pass("b2", frame(kBroadcast, 2));
    EXPECT_EQ(bench.pass("b1", frame(2, 1)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::isolated), 1U);
    EXPECT_EQ(bench.pass("t", frame(2, 3, {{10}})), (Sent{{"b2", {frame(2, 3)}}}));
}

TEST_F(Forwarding, CarriesTagsOnlyBetweenAttachmentsThatAgree) {
    bench.model.ports.at("b1").attachments[0].tagged = TaggedFrames::carry;
    bench.access("b3", "blue").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    const Bytes tagged = frame(kBroadcast, 1, {{20}});
    EXPECT_EQ(bench.pass("b1", tagged), (Sent{{"b3", {tagged}}}));
    const Bytes service = frame(kBroadcast, 1, {{20, 0x88a8}, {7}});
    EXPECT_EQ(bench.pass("b1", service), (Sent{{"b3", {service}}}));
    bench.pass("b2", frame(kBroadcast, 2));
    EXPECT_EQ(bench.pass("b1", frame(2, 1, {{20}})), Sent{});
    EXPECT_EQ(bench.drops(DropReason::tagged_frame), 1U);
}

TEST_F(Forwarding, ATrunkThatCarriesPutsItsTagInFront) {
    bench.model.ports.at("b1").attachments[0].tagged = TaggedFrames::carry;
    bench.model.ports.at("t").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", frame(kBroadcast, 1, {{20}})), (Sent{{"t", {frame(kBroadcast, 1, {{10}, {20}})}}}));
    EXPECT_EQ(bench.pass("t", frame(1, 3, {{10}, {20}})), (Sent{{"b1", {frame(1, 3, {{20}})}}}));
}

TEST_F(Forwarding, KeepTagLeavesTheTagInTheSegment) {
    bench.model.ports.at("t").attachments[0].keep_tag = true;
    bench.trunk("u");
    bench.vlan("u", 10, "blue").keep_tag = true;
    bench.apply();
    const Bytes tagged = frame(kBroadcast, 1, {{10}});
    EXPECT_EQ(bench.pass("t", tagged), (Sent{{"u", {tagged}}})) << "an untagged pod must not see the tag";
    EXPECT_EQ(bench.pass("b1", frame(1, 2)), (Sent{{"t", {frame(1, 2, {{10}})}}}));
}

TEST_F(Forwarding, NobodyElseInTheSegment) {
    bench.remove("b2");
    bench.remove("t");
    EXPECT_EQ(bench.pass("b1", kPlain), Sent{});
    EXPECT_EQ(bench.drops(DropReason::no_destination), 1U);
}

TEST_F(Forwarding, ReplicationSharesThePayload) {
    bench.access("b3", "blue");
    bench.apply();
    bench["b1"].inject(kPlain);
    bench.run();
    const auto first = bench["b2"].take(), second = bench["b3"].take(), tagged = bench["t"].take();
    ASSERT_EQ(first.size() + second.size() + tagged.size(), 3U);
    EXPECT_EQ(first[0].payload, second[0].payload);
    EXPECT_EQ(first[0].payload, tagged[0].payload);
    EXPECT_EQ(bench.vswitch().worker_stats(0).copies, 2U);
}

TEST_F(Forwarding, JumboFramesPassAJumboSegment) {
    bench.model.segments.at("blue").mtu = 9000;
    bench.apply();
    const Bytes jumbo = frame(kBroadcast, 1, {}, 9000);
    EXPECT_EQ(bench.pass("b1", jumbo), (Sent{{"b2", {jumbo}}, {"t", {frame(kBroadcast, 1, {{10}}, 9000)}}}));
}

TEST_F(Forwarding, WhatAPortRefusesIsCountedThere) {
    bench["b2"].refuse_after(1, DropReason::guest_queue_full);
    bench.pass("b2", frame(kBroadcast, 2));
    for (int count = 0; count < 3; ++count) bench["b1"].inject(frame(2, 1));
    bench.run();
    EXPECT_EQ(bench["b2"].take().size(), 1U);
    const TrafficStats stats = bench.vswitch().port_stats("b2");
    EXPECT_EQ(stats.drops[static_cast<std::size_t>(DropReason::guest_queue_full)], 2U);
    EXPECT_EQ(stats.tx_packets, 1U);
}

TEST_F(Forwarding, AFrameThatTheDeviceCanNotTakeCostsItsNeighboursNothing) {
    bench.pass("b2", frame(kBroadcast, 2));
    bench["b2"].refuse_length(frame(2, 1, {}, 300).size());
    for (const std::size_t payload : {46U, 300U, 47U, 300U, 48U}) bench["b1"].inject(frame(2, 1, {}, payload));
    bench.run();
    EXPECT_EQ(bench["b2"].take().size(), 3U);
    EXPECT_EQ(bench.drops(DropReason::tx_error), 2U);
}

TEST_F(Forwarding, CountsPortsSegmentsAndBytes) {
    bench.pass("b1", kPlain);
    EXPECT_EQ(bench.vswitch().port_stats("b1").rx_packets, 1U);
    EXPECT_EQ(bench.vswitch().port_stats("b1").rx_bytes, kPlain.size());
    EXPECT_EQ(bench.vswitch().port_stats("t").tx_bytes, kPlain.size() + 4);
    EXPECT_EQ(bench.vswitch().segment_stats("blue").rx_packets, 1U);
    EXPECT_EQ(bench.vswitch().segment_stats("blue").tx_packets, 2U);
    EXPECT_EQ(bench.vswitch().segment_stats("red").rx_packets, 0U);
}

TEST_F(Forwarding, CountersSurviveADetachAndAReusedIndexBeginsAtZero) {
    bench.pass("b1", kPlain);
    bench.remove("b1");
    EXPECT_EQ(bench.vswitch().segment_stats("blue").rx_packets, 1U) << "a segment's counters never go back";
    bench.access("n1", "red");
    bench.apply();
    EXPECT_EQ(bench.vswitch().port_stats("n1").rx_packets, 0U);
    EXPECT_EQ(bench.vswitch().segment_stats("red").rx_packets, 0U);
    EXPECT_EQ(bench.vswitch().port_stats("b1").rx_packets, 0U) << "a removed port has no counters";
}

TEST_F(Forwarding, AWaitingPortCarriesNothing) {
    Port waiting;
    waiting.name = "w";
    waiting.attachments.push_back(
        {.vlan = std::nullopt, .segment = "blue", .macs = {*MacAddress::parse("02:00:00:00:00:0a")}});
    bench.model.ports["w"] = waiting;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", kPlain).size(), 2U);
    EXPECT_EQ(bench.pass("b1", frame(10, 1)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::port_gone), 1U) << "its own address is not flooded to others";
}

}  // namespace
}  // namespace bulkhead::test
