// SPDX-License-Identifier: Apache-2.0
// A burst whose frames are alike takes a short way; nothing but its cost may differ from frames that come one by one.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

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
        ASSERT_EQ(sent(together.bench), sent(one_by_one.bench)) << "round " << round;
        for (unsigned number = 1; number <= 6; ++number) {
            const std::string name = "p" + std::to_string(number);
            ASSERT_EQ(numbers(together.bench.vswitch().port_stats(name)),
                      numbers(one_by_one.bench.vswitch().port_stats(name)))
                << "round " << round << ", " << name;
        }
        ASSERT_EQ(numbers(together.bench.vswitch().segment_stats("blue")),
                  numbers(one_by_one.bench.vswitch().segment_stats("blue")));
    }
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
