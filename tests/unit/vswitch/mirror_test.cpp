// SPDX-License-Identifier: Apache-2.0
// Mirrors: who gets a copy of which frame, and that nobody else is touched by it.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

using Sent = std::map<std::string, std::vector<Bytes>>;
constexpr unsigned kBroadcast = 0xff;
constexpr std::uint8_t kUdp = 17;

/// An IPv4 packet that is read as UDP to that port; frame() made it of a fixed pattern.
Bytes datagram(unsigned to, unsigned from, std::uint16_t port) {
    Bytes bytes = frame(to, from);
    const Bytes ip = {0x45,
                      0,
                      0,
                      46,
                      0,
                      0,
                      0,
                      0,
                      64,
                      kUdp,
                      0,
                      0,
                      10,
                      0,
                      0,
                      static_cast<std::uint8_t>(from),
                      10,
                      0,
                      0,
                      static_cast<std::uint8_t>(to),
                      0x10,
                      0,
                      static_cast<std::uint8_t>(port >> 8),
                      static_cast<std::uint8_t>(port),
                      0,
                      26,
                      0,
                      0};
    std::ranges::copy(ip, bytes.begin() + 14);
    return bytes;
}

/// Stations 1, 2 and 3 on ports of their names in segment blue, 4 in red; "ids" and "eye" are ports of no segment.
struct Mirrors : testing::Test {
    Mirrors() {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        for (unsigned station = 1; station <= 4; ++station)
            bench.access(std::to_string(station), station == 4 ? "red" : "blue").attachments[0].macs = {
                MacAddress(0x0200'0000'0000ULL | station)};
        bench.trunk("ids");
        bench.trunk("eye");
    }
    Mirror& mirror(const std::string& name, const std::string& to = "ids") {
        Mirror& made = bench.model.mirrors[name];
        made.name = name;
        made.to = to;
        return made;
    }
    Policy& rule(const std::string& name, PolicyAction action, std::uint16_t port) {
        Policy& made = bench.model.policies[{"blue", name}];
        made.segment = "blue";
        made.name = name;
        made.action = action;
        made.protocol = kUdp;
        made.dst_ports = {{port, port}};
        if (action == PolicyAction::mirror) made.to_port = "3";
        return made;
    }
    MirrorStats stats(const std::string& name) { return bench.vswitch().mirror_stats({}, name); }
    std::uint64_t lost(const std::string& name, CopyLoss loss) {
        return stats(name).lost[static_cast<std::size_t>(loss)];
    }

    Bench bench;
    const Bytes there = frame(2, 1), back = frame(1, 2), to_all = frame(kBroadcast, 1);
};

TEST_F(Mirrors, WithoutOneNobodyGetsCopies) {
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}}));
}

struct Direction {
    MirrorDirection direction;
    bool in, out;
};
constexpr Direction kDirections[] = {
    {MirrorDirection::both, true, true}, {MirrorDirection::in, true, false}, {MirrorDirection::out, false, true}};

TEST_F(Mirrors, OfAPortSeeWhatItSendsAndWhatItGets) {
    for (const Direction& wanted : kDirections) {
        Mirror& watched = mirror("m");
        watched.port = "1";
        watched.direction = wanted.direction;
        bench.apply();
        const auto with = [&](Sent sent, const Bytes& copy, bool is_seen) {
            if (is_seen) sent["ids"] = {copy};
            return sent;
        };
        EXPECT_EQ(bench.pass("1", there), with({{"2", {there}}}, there, wanted.in));
        EXPECT_EQ(bench.pass("2", back), with({{"1", {back}}}, back, wanted.out));
        EXPECT_EQ(bench.pass("1", to_all), with({{"2", {to_all}}, {"3", {to_all}}}, to_all, wanted.in));
        const Bytes from_3 = frame(kBroadcast, 3);
        EXPECT_EQ(bench.pass("3", from_3), with({{"1", {from_3}}, {"2", {from_3}}}, from_3, wanted.out));
        EXPECT_EQ(bench.pass("3", frame(2, 3)), (Sent{{"2", {frame(2, 3)}}})) << "others' traffic";
    }
}

TEST_F(Mirrors, OfASegmentSeeEachFrameOnce) {
    for (const Direction& wanted : kDirections) {
        Mirror& watched = mirror("m");
        watched.segment = "blue";
        watched.direction = wanted.direction;
        bench.apply();
        EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"ids", {there}}}));
        EXPECT_EQ(bench.pass("1", to_all), (Sent{{"2", {to_all}}, {"3", {to_all}}, {"ids", {to_all}}}));
        EXPECT_EQ(bench.pass("4", frame(kBroadcast, 4)), Sent()) << "another segment's";
        // To a station behind its own port: it comes in, and does not leave.
        Sent only_in;
        if (wanted.in) only_in["ids"] = {frame(1, 1)};
        EXPECT_EQ(bench.pass("1", frame(1, 1)), only_in);
    }
}

TEST_F(Mirrors, CopyFramesAsTheyStandInTheirSegment) {
    bench.trunk("trunk");
    bench.vlan("trunk", 10, "blue");
    mirror("m").segment = "blue";
    bench.apply();
    const Bytes tagged = frame(2, 9, {{10}}), plain = frame(2, 9);
    EXPECT_EQ(bench.pass("trunk", tagged), (Sent{{"2", {plain}}, {"ids", {plain}}}));
    EXPECT_EQ(bench.pass("2", frame(9, 2)), (Sent{{"trunk", {frame(9, 2, {{10}})}}, {"ids", {frame(9, 2)}}}));
}

TEST_F(Mirrors, SeeWhatPortSecurityRefuses) {
    bench.model.ports["1"].attachments[0].security = PortSecurity::mac;
    mirror("m").port = "1";
    bench.apply();
    const Bytes spoofed = frame(2, 3);
    EXPECT_EQ(bench.pass("1", spoofed), (Sent{{"ids", {spoofed}}}));
    EXPECT_EQ(bench.drops(DropReason::spoofed_mac), 1U);
}

TEST_F(Mirrors, AreCutOffAtTheirSnaplen) {
    mirror("m").port = "1";
    mirror("m").snaplen = 20;
    bench.apply();
    const Bytes cut(there.begin(), there.begin() + 20);
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"ids", {cut}}}));
    EXPECT_EQ(stats("m"), (MirrorStats{.packets = 1, .bytes = 20}));
}

TEST_F(Mirrors, EachHasACopyOfItsOwn) {
    mirror("a").port = "1";
    mirror("b").port = "2";
    mirror("c", "eye").segment = "blue";
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"ids", {there, there}}, {"eye", {there}}}));
    bench.model.mirrors.erase("a");
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"ids", {there}}, {"eye", {there}}}));
    mirror("a").port = "1";
    bench.apply();
    EXPECT_EQ(stats("a"), MirrorStats()) << "an index used again starts anew";
    EXPECT_EQ(stats("c").packets, 2U);
}

TEST_F(Mirrors, CopiesAreNotMirroredAgain) {
    mirror("a", "eye").port = "1";
    mirror("b").port = "eye";
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"eye", {there}}}));
}

TEST_F(Mirrors, CopiesCountForNobodyElse) {
    mirror("m", "3").port = "1";
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"3", {there}}}));
    EXPECT_EQ(bench.vswitch().port_stats("3").tx_packets, 0U);
    EXPECT_EQ(bench.vswitch().segment_stats("blue").tx_packets, 1U);
    EXPECT_EQ(stats("m"), (MirrorStats{.packets = 1, .bytes = there.size()}));
}

TEST_F(Mirrors, OfARuleSeeWhatItDecides) {
    rule("allow", PolicyAction::allow, 53);
    rule("deny", PolicyAction::deny, 99);
    mirror("allowed").segment = "blue";
    mirror("allowed").policy = "allow";
    mirror("denied", "eye").segment = "blue";
    mirror("denied", "eye").policy = "deny";
    bench.apply();
    const Bytes query = datagram(2, 1, 53), refused = datagram(2, 1, 99), other = datagram(2, 1, 80);
    EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"ids", {query}}}));
    EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"ids", {query}}})) << "of an open connection";
    EXPECT_EQ(bench.pass("1", refused), (Sent{{"eye", {refused}}}));
    EXPECT_EQ(bench.pass("1", other), (Sent{{"2", {other}}}));
    EXPECT_EQ(stats("allowed").packets, bench.vswitch().rule_hits("blue", "allow").packets);
    rule("allow", PolicyAction::allow, 53).stateful = false;
    bench.apply();
    EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"ids", {query}}})) << "where no rule has state";
}

TEST_F(Mirrors, ByRulesLeaveVerdictsAlone) {
    rule("copy", PolicyAction::mirror, 53).order = 100;
    bench.apply();
    const Bytes query = datagram(2, 1, 53), other = datagram(2, 1, 80);
    EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"3", {query}}}));
    EXPECT_EQ(bench.pass("1", other), (Sent{{"2", {other}}}));
    EXPECT_EQ(bench.vswitch().mirror_stats("blue", "copy").packets, 1U);
    EXPECT_EQ(bench.vswitch().connection_count(), 0U);
    rule("allow", PolicyAction::allow, 53).order = 1;
    bench.apply();
    for (int again = 0; again < 3; ++again)
        EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"3", {query}}})) << "whatever decides";
    EXPECT_EQ(bench.vswitch().connection_count(), 1U);
    rule("allow", PolicyAction::allow, 53).action = PolicyAction::deny;
    bench.apply();
    EXPECT_EQ(bench.pass("1", query), (Sent{{"3", {query}}})) << "what is denied is seen, too";
}

TEST_F(Mirrors, ByRulesKnowGroups) {
    bench.model.groups[{"blue", "web"}] = {.owner = {}, .segment = "blue", .name = "web", .id = 7};
    bench.model.ports["2"].attachments[0].group = "web";
    rule("copy", PolicyAction::mirror, 53).to.groups = {"web"};
    bench.apply();
    const Bytes query = datagram(2, 1, 53), answer = datagram(1, 2, 53);
    EXPECT_EQ(bench.pass("1", query), (Sent{{"2", {query}}, {"3", {query}}}));
    EXPECT_EQ(bench.pass("2", answer), (Sent{{"1", {answer}}}));
    const Bytes to_all_of_blue = datagram(kBroadcast, 1, 53);
    EXPECT_EQ(bench.pass("1", to_all_of_blue)["3"].size(), 2U) << "the frame, and its copy: once for all receivers";
}

TEST_F(Mirrors, AreToldOfInExplanations) {
    rule("copy", PolicyAction::mirror, 53);
    rule("deny", PolicyAction::deny, 99);
    mirror("segment").segment = "blue";
    mirror("two").port = "2";
    mirror("two").direction = MirrorDirection::out;
    mirror("denied").segment = "blue";
    mirror("denied").policy = "deny";
    bench.apply();
    const auto explained = [&](const char* port, const Bytes& bytes) {
        return bench.vswitch().explain_packet({.port = port, .frame = bytes, .vlan = {}}).value().mirrors;
    };
    using testing::ElementsAre;
    EXPECT_THAT(explained("1", datagram(2, 1, 53)), ElementsAre("segment", "blue/copy", "two"));
    EXPECT_THAT(explained("1", datagram(3, 1, 53)), ElementsAre("segment", "blue/copy"));
    EXPECT_THAT(explained("1", datagram(2, 1, 99)), ElementsAre("segment", "denied"));
    EXPECT_THAT(explained("1", datagram(kBroadcast, 1, 7)), ElementsAre("segment", "two"));
    EXPECT_THAT(explained("4", frame(kBroadcast, 4)), ElementsAre());
    EXPECT_EQ(stats("segment"), MirrorStats()) << "nothing is copied";
}

TEST_F(Mirrors, WhatTheObserverDoesNotTakeIsLostToHimAlone) {
    mirror("m").port = "1";
    bench.apply();
    bench["ids"].refuse_after(0, DropReason::tx_queue_full);
    for (int count = 0; count < 40; ++count) bench["1"].inject(there);
    bench.run();
    EXPECT_EQ(bench["2"].take_bytes().size(), 40U);
    EXPECT_EQ(bench["ids"].take_bytes().size(), 0U);
    EXPECT_EQ(lost("m", CopyLoss::mirror_full), 40U);
    EXPECT_EQ(stats("m").packets, 0U);
    EXPECT_EQ(bench.drops(DropReason::tx_queue_full), 0U);
}

TEST_F(Mirrors, CopiesHaveBuffersOfTheirOwn) {
    std::vector<rte_mbuf*> taken(255);
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(test_copies(), taken.data(), 255), 0);
    mirror("m").port = "1";
    bench.apply();
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}}));
    EXPECT_EQ(lost("m", CopyLoss::no_buffer), 1U);
    for (rte_mbuf* frame : taken) rte_pktmbuf_free(frame);
    EXPECT_EQ(bench.pass("1", there), (Sent{{"2", {there}}, {"ids", {there}}}));
}

TEST_F(Mirrors, ABurstCostsOnlySoMuch) {
    for (const char* name : {"a", "b", "c"}) mirror(name).port = "1";
    bench.apply();
    for (int count = 0; count < 64; ++count) bench["1"].inject(there);
    bench.run();
    EXPECT_EQ(bench["2"].take_bytes().size(), 64U);
    EXPECT_EQ(stats("a").packets + stats("b").packets + stats("c").packets, 128U);
    EXPECT_EQ(lost("a", CopyLoss::busy) + lost("b", CopyLoss::busy) + lost("c", CopyLoss::busy), 64U);
}

/// "ids" is at another node, in a tunnel of VNI 9001.
struct MirrorsThroughTunnels : Mirrors {
    MirrorsThroughTunnels() {
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"red"});
        mirror("m", "n2").port = "1";
        mirror("m", "n2").vni = 9001;
        bench.apply();
    }
};

TEST_F(MirrorsThroughTunnels, HaveAVniOfTheirOwn) {
    const Sent sent = bench.pass("1", there);
    EXPECT_EQ(sent.at("2"), std::vector<Bytes>{there});
    ASSERT_EQ(sent.size(), 2U);
    ASSERT_EQ(sent.at("nic").size(), 1U);
    const OuterSeen outer = read_outer(sent.at("nic")[0]);
    EXPECT_EQ(outer.vni, 9001U);
    EXPECT_EQ(outer.remote.to_string(), "192.0.2.2");
    EXPECT_TRUE(outer.is_ip_checksum_good);
    EXPECT_EQ(outer.inner, there);
    EXPECT_EQ(bench.vswitch().tunnel_stats("n2").tx_packets, 0U);
    EXPECT_EQ(stats("m"), (MirrorStats{.packets = 1, .bytes = there.size()}));
}

TEST_F(MirrorsThroughTunnels, AreCutToWhatTheTunnelTakes) {
    const Bytes large = frame(2, 1, {}, 1500);
    const Sent sent = bench.pass("1", large);
    EXPECT_EQ(sent.at("2"), std::vector<Bytes>{large});
    const OuterSeen outer = read_outer(sent.at("nic").at(0));
    EXPECT_EQ(outer.ip_length, 1500U);
    EXPECT_EQ(outer.inner, Bytes(large.begin(), large.begin() + 1464));
}

TEST_F(MirrorsThroughTunnels, AreLostWhileTheNextHopIsNotKnown) {
    bench.tunnel("n3", "192.0.2.3", {"red"}, std::nullopt);
    mirror("m", "n3");
    bench.apply();
    const Sent sent = bench.pass("1", there);
    EXPECT_EQ(sent.at("2"), std::vector<Bytes>{there});
    EXPECT_EQ(lost("m", CopyLoss::unreachable), 1U);
}

TEST_F(MirrorsThroughTunnels, SeeWhatTunnelsBringToASegment) {
    mirror("s").segment = "red";
    bench.apply();
    bench["nic"].inject(tunnelled({.vni = 200}, frame(4, 77)));
    bench.run();
    EXPECT_EQ(bench["4"].take_bytes(), std::vector<Bytes>{frame(4, 77)});
    EXPECT_EQ(bench["ids"].take_bytes(), std::vector<Bytes>{frame(4, 77)});
    EXPECT_EQ(bench.pass("4", frame(77, 4)).at("ids"), std::vector<Bytes>{frame(77, 4)});
    bench["nic"].inject(tunnelled({.vni = 9001}, frame(4, 77)));
    bench.run();
    EXPECT_EQ(bench.drops(DropReason::unknown_vni), 1U) << "copies are no frames of this node's segments";
}

}  // namespace
}  // namespace bulkhead::test
