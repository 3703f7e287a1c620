// SPDX-License-Identifier: Apache-2.0
// Limits of ports. Buckets go by the real clock, and a test may be held up: what has come meanwhile may pass, too.
#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff, kUnknown = 0x77;
constexpr std::size_t kKib = 1024, kHeader = 14;

struct Limits : testing::Test {
    Limits() {
        bench.segment("blue", 100);
        for (const char* name : {"b1", "b2", "b3"}) bench.access(name, "blue");
        bench.apply();
        for (unsigned number : {1U, 2U, 3U}) bench.pass("b" + std::to_string(number), frame(kBroadcast, number));
        (void)bench.vswitch().take_events();
    }

    void limit(const std::string& port, const PortLimits& limits) {
        limited_ = std::chrono::steady_clock::now();
        bench.model.ports.at(port).limits = limits;
        bench.apply();
    }

    /// How many of so many frames come out at b2.
    std::size_t through(const std::string& port, std::size_t frames, std::size_t bytes = kKib, unsigned to = 2) {
        const auto from = static_cast<unsigned>(port.back() - '0');
        for (std::size_t at = 0; at < frames; ++at) bench[port].inject(frame(to, from, {}, bytes - kHeader));
        bench.run();
        return bench["b2"].take_bytes().size();
    }

    /// What passed is the burst, and no more than a second's worth for each second since the limit was set; and one
    /// frame that was let overdraw.
    void expect_limited(std::size_t passed, std::size_t burst, double frames_per_second) const {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - limited_;
        EXPECT_GE(passed, burst);
        EXPECT_LE(static_cast<double>(passed), static_cast<double>(burst) + elapsed.count() * frames_per_second + 1);
    }

    [[nodiscard]] std::uint64_t drops_of(const std::string& port, DropReason reason) {
        return bench.vswitch().port_stats(port).drops[static_cast<std::size_t>(reason)];
    }

    Bench bench;
    std::chrono::steady_clock::time_point limited_;
};

constexpr double kFramesOfMegabit = 125'000.0 / kKib;

TEST_F(Limits, WhatAPortSendsIsLimited) {
    limit("b1", {.rx_mbps = 1, .burst_kib = 100});
    const std::size_t passed = through("b1", 1000);
    expect_limited(passed, 100, kFramesOfMegabit);
    EXPECT_EQ(drops_of("b1", DropReason::rx_rate), 1000 - passed);
    EXPECT_EQ(through("b3", 300), 300U) << "others are not";
    EXPECT_EQ(bench.vswitch().port_stats("b1").rx_packets, 1001U) << "received is what came";
}

TEST_F(Limits, WhatAPortGetsIsLimitedWhoeverSends) {
    limit("b2", {.tx_mbps = 1, .burst_kib = 100});
    EXPECT_EQ(through("b1", 60), 60U);
    const std::size_t passed = through("b3", 1000);
    expect_limited(passed, 40, kFramesOfMegabit);
    EXPECT_EQ(drops_of("b2", DropReason::tx_rate), 1000 - passed);
}

TEST_F(Limits, FloodedFramesCountForEachReceiver) {
    limit("b2", {.tx_mbps = 1, .burst_kib = 10});
    expect_limited(through("b1", 1000, kKib, kBroadcast), 10, kFramesOfMegabit);
    EXPECT_EQ(bench["b3"].take_bytes().size(), 1000U);
}

TEST_F(Limits, AStormIsWhatIsForMany) {
    limit("b1", {.storm_pps = 10});
    const std::size_t passed = through("b1", 400, kKib, kBroadcast), unknown = through("b1", 400, kKib, kUnknown);
    expect_limited(passed, 10, 10);
    expect_limited(passed + unknown, 10, 10);
    EXPECT_EQ(drops_of("b1", DropReason::storm), 800 - passed - unknown);
    EXPECT_EQ(through("b1", 40), 40U) << "what is known passes";
    EXPECT_EQ(through("b3", 40, kKib, kBroadcast), 40U);
}

TEST_F(Limits, ZeroFloodsNothing) {
    limit("b1", {.storm_pps = 0});
    EXPECT_EQ(through("b1", 1, kKib, kBroadcast), 0U);
    EXPECT_EQ(through("b1", 1), 1U);
}

TEST_F(Limits, MovesBeyondTheLimitAreNeitherLearnedNorForwarded) {
    limit("b1", {.mac_moves_per_s = 2});
    for (unsigned station = 20; station < 36; ++station) bench.pass("b3", frame(kBroadcast, station));
    (void)bench.vswitch().take_events();
    std::size_t arrived = 0;
    for (unsigned station = 20; station < 36; ++station) arrived += bench.pass("b1", frame(2, station)).size();
    expect_limited(arrived, 2, 2);
    EXPECT_EQ(drops_of("b1", DropReason::mac_move_limit), 16 - arrived);
    EXPECT_EQ(bench.vswitch().macs({.port = "b3"}).size(), 1 + 16 - arrived);

    std::vector<MacEvent> events = bench.vswitch().take_events().events;
    const auto [first, last] = std::ranges::remove(events, MacEvent::Kind::moved, &MacEvent::kind);
    events.erase(first, last);
    ASSERT_EQ(events.size(), 1U) << "one a second, not one a frame";
    EXPECT_EQ(events[0].kind, MacEvent::Kind::move_limit);
    EXPECT_EQ(events[0].port, "b1");
    EXPECT_EQ(events[0].from_port, "b3");

    EXPECT_EQ(bench.pass("b1", frame(2, 40)).size(), 1U) << "new ones are no moves";
    EXPECT_EQ(bench.pass("b3", frame(2, 35)).size(), 1U) << "nor is the owner who stays";
}

TEST_F(Limits, AnotherChangeFillsNoBucket) {
    limit("b1", {.rx_mbps = 1, .burst_kib = 10});
    const std::size_t passed = through("b1", 1000);
    bench.model.segments.at("blue").mac_age_s = 100;
    bench.apply();
    expect_limited(passed + through("b1", 1000), 10, kFramesOfMegabit);
    limit("b1", {.rx_mbps = 1, .burst_kib = 5});
    expect_limited(through("b1", 1000), 5, kFramesOfMegabit);  // a change of the limits does
    limit("b1", {});
    EXPECT_EQ(through("b1", 20), 20U);
}

TEST_F(Limits, ConnectionsAreThoseOfTheLimit) {
    bench.model.policies[{"blue", "all"}] = {.segment = "blue", .name = "all", .action = PolicyAction::allow};
    limit("b1", {.connections = 0});
    Bytes ping = frame(2, 1);
    const Bytes ip = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2, 8, 0, 0, 0, 0, 1, 0, 1};
    std::ranges::copy(ip, ping.begin() + kHeader);
    EXPECT_TRUE(bench.pass("b1", ping).empty());
    EXPECT_EQ(bench.drops(DropReason::connection_limit), 1U);
    limit("b1", {.connections = 1});
    EXPECT_EQ(bench.pass("b1", ping).size(), 1U);
}

}  // namespace
}  // namespace bulkhead::test
