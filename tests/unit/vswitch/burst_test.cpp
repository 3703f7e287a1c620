// SPDX-License-Identifier: Apache-2.0
// A burst whose frames are alike takes a short way; nothing but its cost may differ from frames that come one by one.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;

/// Stations 1–4 on access ports, 5 on an isolated one, 6 behind a trunk; all known to the switch.
struct Town {
    Town() {
        bench.segment("blue", 100).mtu = 1000;
        for (const char* name : {"p1", "p2", "p3", "p4"}) bench.access(name, "blue");
        bench.access("p5", "blue").attachments[0].isolated = true;
        bench.trunk("p6");
        bench.vlan("p6", 10, "blue");
        bench.apply();
        for (unsigned number = 1; number <= 6; ++number)
            bench.pass("p" + std::to_string(number),
                       number == 6 ? frame(kBroadcast, number, {{10}}) : frame(kBroadcast, number));
        for (unsigned number = 1; number <= 6; ++number) (void)bench["p" + std::to_string(number)].take();
    }
    Bench bench;
};

std::map<std::string, std::vector<Bytes>> sent(Bench& bench) {
    std::map<std::string, std::vector<Bytes>> all;
    for (unsigned number = 1; number <= 6; ++number) {
        const std::string name = "p" + std::to_string(number);
        all[name] = bench[name].take_bytes();
    }
    return all;
}

std::string numbers(const TrafficStats& stats) {
    std::string text = std::to_string(stats.rx_packets) + " " + std::to_string(stats.rx_bytes) + " " +
                       std::to_string(stats.tx_packets) + " " + std::to_string(stats.tx_bytes);
    for (const std::uint64_t drop : stats.drops) text += " " + std::to_string(drop);
    return text;
}

/// What both sent since the last call, and all they have counted.
void expect_alike(Bench& together, Bench& one_by_one) {
    ASSERT_EQ(sent(together), sent(one_by_one));
    for (const auto& [name, port] : together.model.ports)
        ASSERT_EQ(numbers(together.vswitch().port_stats(name)), numbers(one_by_one.vswitch().port_stats(name))) << name;
    for (const auto& [name, segment] : together.model.segments)
        ASSERT_EQ(numbers(together.vswitch().segment_stats(name)), numbers(one_by_one.vswitch().segment_stats(name)))
            << name;
}

struct Dice {
    unsigned operator()(unsigned sides) { return static_cast<unsigned>(source() % sides); }
    std::mt19937 source;
};

/// Sixty frames from station 1: mostly to one other station, with now and then something else among them.
std::vector<Bytes> burst(Dice& random) {
    const unsigned to = 2 + random(5);
    const unsigned odd_ones = random(3);
    std::vector<Bytes> frames;
    for (unsigned at = 0; at < 60; ++at) frames.push_back(frame(to, 1, {}, 46 + at));
    for (unsigned odd = 0; odd < odd_ones; ++odd) {
        const Bytes others[] = {frame(kBroadcast, 1),    frame(1, 1),         frame(99, 1),
                                frame(2 + random(5), 1), frame(to, 1, {{7}}), frame(to, 1, {}, 1200),
                                Bytes(9, 0x2),           frame(to, 1, {{0}})};
        frames[random(60)] = others[random(std::size(others))];
    }
    return frames;
}

/// The short way asks by masks; were one of them wrong, frames would only take the long way, and nobody would notice.
TEST(EgressWord, HasTheFieldsWhereTheMasksSay) {
    const AttachmentEntry none;
    EXPECT_EQ(none.egress_word() & EgressWord::kReachable, 0U);
    const AttachmentEntry entry{
        .port = 0x1234, .segment = 0x5678, .vlan = 0x9a, .is_reachable = true, .mtu = 0xffff, .vni = 0xff'ffff};
    constexpr std::uint64_t kAsked =  // what lies between is padding, of any value
        EgressWord::kPort | EgressWord::kSegment | EgressWord::kVlan | EgressWord::kReachable | EgressWord::kMesh;
    EXPECT_EQ(entry.egress_word() & kAsked, EgressWord::of(0x1234, 0x5678, 0x9a) | EgressWord::kReachable);
    const AttachmentEntry others{.isolated = true, .carries_tags = true, .keeps_tag = true};
    EXPECT_EQ(others.egress_word() & (EgressWord::kReachable | EgressWord::kMesh), 0U);
    const AttachmentEntry mesh{.is_mesh = true};
    EXPECT_EQ(mesh.egress_word() & (EgressWord::kReachable | EgressWord::kMesh), EgressWord::kMesh);
}

TEST(Burst, IsForwardedAsItsFramesOneByOne) {
    Dice random{std::mt19937(11)};
    Town together, one_by_one;
    for (int round = 0; round < 300; ++round) {
        const std::vector<Bytes> frames = burst(random);
        for (const Bytes& bytes : frames) {
            together.bench["p1"].inject(bytes);
            one_by_one.bench["p1"].inject(bytes);
            one_by_one.bench.run();
        }
        together.bench.run();
        ASSERT_NO_FATAL_FAILURE(expect_alike(together.bench, one_by_one.bench)) << "round " << round;
    }
}

/// Stations 1–3 behind trunk p1, in blue (VLAN 10) and in red (VLAN 20); 4 on p2 and 5 on p3 in both, by the same VLANs
/// on p2 and by others on p3; 6 on an access port of blue, 7 on a trunk of red that keeps the tag.
struct Crossroads {
    Crossroads() {
        bench.segment("blue", 100).mtu = 1000;
        bench.segment("red", 200);
        for (const char* name : {"p1", "p2", "p3", "p5"}) bench.trunk(name);
        for (const char* name : {"p1", "p2"}) {
            bench.vlan(name, 10, "blue");
            bench.vlan(name, 20, "red");
        }
        bench.vlan("p3", 30, "blue");
        bench.vlan("p3", 40, "red");
        bench.access("p4", "blue");
        bench.vlan("p5", 20, "red").keep_tag = true;
        bench.access("p6", "red").attachments[0].isolated = true;
        bench.apply();
        for (const std::uint16_t vlan : {std::uint16_t{10}, std::uint16_t{20}}) {
            bench.pass("p1", frame(kBroadcast, 1, {{vlan}}));
            bench.pass("p2", frame(kBroadcast, 4, {{vlan}}));
            bench.pass("p3", frame(kBroadcast, 5, {{static_cast<std::uint16_t>(vlan + 20)}}));
        }
        bench.pass("p4", frame(kBroadcast, 6));
        bench.pass("p5", frame(kBroadcast, 7, {{20}}));
        (void)sent(bench);
    }
    Bench bench;
};

/// Sixty tagged frames from p1: all to one port, or to some; now and then something else among them.
std::vector<Bytes> tagged_burst(Dice& random) {
    const auto vlan = [&] { return static_cast<std::uint16_t>(random(2) == 0 ? 10 : 20); };
    const unsigned to = 4 + random(4);
    const bool one_way = random(3) > 0;
    std::vector<Bytes> frames;
    for (unsigned at = 0; at < 60; ++at)
        frames.push_back(
            frame(one_way ? to : 4 + random(4), 1, {{vlan(), 0x8100, static_cast<std::uint16_t>(random(8))}}, 46 + at));
    for (unsigned odd = random(3); odd > 0; --odd) {
        const Bytes others[] = {frame(kBroadcast, 1, {{vlan()}}),
                                frame(to, 1),
                                frame(to, 2 + random(2), {{vlan()}}),
                                frame(to, 1, {{99}}),
                                frame(to, 1, {{0}}),
                                frame(to, 1, {{vlan()}, {7}}),
                                frame(to, 1, {{vlan(), 0x88a8}}),
                                frame(to, 1, {{10}}, 1001),
                                frame(to, 1, {{20}}, 1001),
                                frame(to, 1, {{vlan()}}, 3),
                                frame(to, 1, {{vlan()}}, 1)};
        frames[random(60)] = others[random(std::size(others))];
    }
    return frames;
}

TEST(Burst, OfATrunkIsForwardedAsItsFramesOneByOne) {
    Dice random{std::mt19937(12)};
    Crossroads together, one_by_one;
    for (int round = 0; round < 500; ++round) {
        for (const Bytes& bytes : tagged_burst(random)) {
            together.bench["p1"].inject(bytes);
            one_by_one.bench["p1"].inject(bytes);
            one_by_one.bench.run();
        }
        together.bench.run();
        ASSERT_NO_FATAL_FAILURE(expect_alike(together.bench, one_by_one.bench)) << "round " << round;
    }
}

/// What each frame of such a burst looks like on the wire, said without the switch.
TEST(Burst, OfATrunkLeavesWithTheTagsItsPortsWant) {
    Crossroads town;
    const auto pass = [&](unsigned to, std::uint16_t vlan) {
        for (unsigned at = 0; at < 60; ++at) town.bench["p1"].inject(frame(to, 1, {{vlan, 0x8100, 5}}, 46 + at));
        town.bench.run();
        return sent(town.bench);
    };
    const auto expected = [](unsigned to, const std::vector<Tag>& tags) {
        std::vector<Bytes> frames;
        for (unsigned at = 0; at < 60; ++at) frames.push_back(frame(to, 1, tags, 46 + at));
        return frames;
    };
    const std::uint64_t bytes_before = town.bench.vswitch().port_stats("p2").tx_bytes;
    EXPECT_EQ(pass(4, 10)["p2"], expected(4, {{10, 0x8100, 5}}));
    constexpr std::uint64_t kWireBytes = 60 * (14 + 4 + 46) + 59 * 60 / 2;
    EXPECT_EQ(town.bench.vswitch().port_stats("p2").tx_bytes - bytes_before, kWireBytes);
    EXPECT_EQ(pass(4, 20)["p2"], expected(4, {{20, 0x8100, 5}}));
    EXPECT_EQ(pass(5, 20)["p3"], expected(5, {{40, 0x8100, 5}}));
    EXPECT_EQ(pass(6, 10)["p4"], expected(6, {}));
    EXPECT_EQ(pass(7, 20)["p5"], expected(7, {{20, 0x8100, 5}}));
    EXPECT_EQ(pass(kBroadcast, 10)["p3"], expected(kBroadcast, {{30, 0x8100, 5}}));
}

TEST(Burst, WhatThePortRefusesIsDroppedWithItsReason) {
    Town town;
    town.bench["p2"].refuse_after(10, DropReason::tx_queue_full);
    for (unsigned at = 0; at < 60; ++at) town.bench["p1"].inject(frame(2, 1, {}, 46 + at));
    town.bench.run();
    const auto taken = town.bench["p2"].take_bytes();
    ASSERT_EQ(taken.size(), 10U);
    for (unsigned at = 0; at < 10; ++at) EXPECT_EQ(taken[at], frame(2, 1, {}, 46 + at));
    EXPECT_EQ(town.bench.drops(DropReason::tx_queue_full), 50U);
}

TEST(Burst, OneFrameThatThePortCanNotTakeCostsItselfAlone) {
    Town town;
    town.bench["p2"].refuse_length(14 + 46 + 20);
    for (unsigned at = 0; at < 60; ++at) town.bench["p1"].inject(frame(2, 1, {}, 46 + at));
    town.bench.run();
    EXPECT_EQ(town.bench["p2"].take_bytes().size(), 59U);
    EXPECT_EQ(town.bench.drops(DropReason::tx_error), 1U);
}

}  // namespace
}  // namespace bulkhead::test
