// SPDX-License-Identifier: Apache-2.0
// A pod that appears at another node: who has seen its first frame tells the other workers at once.
#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

using Clock = std::chrono::steady_clock;

/// Two workers: one has the NIC, the other the pod's port.
struct Moves : testing::Test {
    Moves() {
        bench.segment("blue", 100);
        bench.access("b1", "blue");
        bench.access("b2", "blue");
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"blue"});
        bench.tunnel("n3", "192.0.2.3", {"blue"}, MacAddress(0x0200'0000'00ccULL));
        bench.apply();
    }
    [[nodiscard]] std::uint16_t worker_of(const std::string& port) {
        return bench.vswitch().queue_plan(port).at(0).worker;
    }
    /// The port of b1 and b2 that the NIC's worker has not.
    [[nodiscard]] std::string other() { return worker_of("b1") == worker_of("nic") ? "b2" : "b1"; }
    Bench bench{2};
};

TEST_F(Moves, AreInForceForTheOtherWorkerWithinAMillisecond) {
    const std::string port = other();
    ASSERT_NE(worker_of(port), worker_of("nic"));
    bench.pass(port, frame(0xff, 1));
    std::vector<Clock::duration> took;
    for (int round = 0; round < 100; ++round) {
        const std::string node = round % 2 == 0 ? "192.0.2.2" : "192.0.2.3";
        bench["nic"].inject(tunnelled({.source = node}, frame(1, 7)));
        bench[port].inject(frame(7, 1));
        const auto begin = Clock::now();
        bench.vswitch().run_worker_once(worker_of("nic"));  // nothing but this: no housekeeping, no control
        bench.vswitch().run_worker_once(worker_of(port));
        took.push_back(Clock::now() - begin);
        const auto sent = bench["nic"].take_bytes();
        ASSERT_EQ(sent.size(), 1U) << "no flood";
        EXPECT_EQ(read_outer(sent[0]).remote.to_string(), node) << "the other worker's first look-up after it";
    }
    // The median: on a machine with other work, a single one may be long by no fault of ours.
    std::ranges::nth_element(took, took.begin() + 50);
    EXPECT_LT(took[50], std::chrono::milliseconds(1));
}

TEST_F(Moves, AreNotForStaticEntries) {
    const MacAddress mac(0x0200'0000'0007ULL);
    bench.model.static_macs[{"blue", mac}] = {
        .owner = {}, .segment = "blue", .mac = mac, .port = {}, .tunnel = "n2", .ips = {}};
    bench.apply();
    const auto before = bench.drops(DropReason::source_mac_owned);
    EXPECT_TRUE(bench.pass("nic", tunnelled({.source = "192.0.2.3"}, frame(1, 7))).empty());
    EXPECT_EQ(bench.drops(DropReason::source_mac_owned), before + 1);
    const auto sent = bench.pass("b1", frame(7, 1));
    ASSERT_EQ(sent.at("nic").size(), 1U);
    EXPECT_EQ(read_outer(sent.at("nic")[0]).remote.to_string(), "192.0.2.2");
    EXPECT_TRUE(bench.pass("b2", frame(1, 7)).empty()) << "nor from a port";
    EXPECT_EQ(bench.drops(DropReason::source_mac_owned), before + 2);
}

}  // namespace
}  // namespace bulkhead::test
