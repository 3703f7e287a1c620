// SPDX-License-Identifier: Apache-2.0
#include "control/offload/reconciler.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/offload/flow_nic.h"
#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

using namespace std::chrono_literals;
using Fate = FlowShape::Fate;
using Kind = FlowRule::Kind;
using Sent = std::map<std::string, std::vector<Bytes>>;

/// A busy machine takes its time.
constexpr Reconciler::Patience kPatient{.withdrawal = 20'000ms, .retry = 20ms, .probe = 20'000ms};
constexpr Reconciler::Patience kImpatient{.withdrawal = 200ms, .retry = 20ms, .probe = 20'000ms};
constexpr unsigned kBroadcast = 0xff;

/// What pods got. On the NIC the node says things of its own, too.
Sent sent_to_pods(Bench& bench) {
    Sent sent;
    for (const auto& [name, port] : bench.model.ports) {
        auto frames = bench[name].take_bytes();
        if (!frames.empty() && name != "nic") sent[name] = std::move(frames);
    }
    return sent;
}

/// Frames as the NIC hands them over.
Sent pass(Bench& bench, const FlowNic& nic, const Bytes& frame) {
    const auto mark = nic.judge(frame);
    if (!mark) return {};
    rte_mbuf* const buffer = bench["nic"].make(frame);
    if (*mark != kNoMark && nic.marks) {
        buffer->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
        buffer->hash.fdir.hi = *mark;
    }
    bench["nic"].inject(buffer);
    bench.run();
    return sent_to_pods(bench);
}

class Reconciled : public testing::Test {
  protected:
    explicit Reconciled(Reconciler::Patience patience = kPatient) : reconciler(patience) {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        bench.segment("green", 300);
        bench.access("b1", "blue");
        bench.access("r1", "red");
        bench.access("g1", "green");
        bench.underlay("nic");
        bench["nic"].set_flows(&nic);
        bench.tunnel("n2", "192.0.2.2", {"blue", "red"});
        bench.tunnel("n3", "192.0.2.3", {"blue"});
        bench.vswitch().set_watcher(&reconciler);
    }
    ~Reconciled() override { bench.vswitch().set_watcher(nullptr); }

    void settle() { ASSERT_TRUE(reconciler.settle(60s)); }
    std::size_t count(Kind kind) const {
        return static_cast<std::size_t>(std::ranges::count(nic.rules(), kind, &FlowRule::kind));
    }
    OffloadReport report() { return reconciler.report("nic").value(); }
    std::size_t count(OffloadedRule::State state) {
        return static_cast<std::size_t>(std::ranges::count(report().rules, state, &OffloadedRule::state));
    }
    void until(const std::function<bool()>& holds) {
        for (int turn = 0; turn < 5000 && !holds(); ++turn) std::this_thread::sleep_for(1ms);
        EXPECT_TRUE(holds());
    }

    FlowNic nic;
    Bench bench;
    Reconciler reconciler;
};

struct Impatient : Reconciled {
    Impatient() : Reconciled(kImpatient) {}
};

TEST_F(Reconciled, PutsIntoTheNicWhatIsPlanned) {
    bench.apply();
    settle();
    EXPECT_EQ(count(Kind::tunnel), 3U);
    EXPECT_EQ(count(Kind::unknown_vni), 1U);
    EXPECT_TRUE(nic.marks);
    EXPECT_EQ(report().steering, (FlowShape{Fate::queue, true}));
    until([&] { return report().rules.front().hits && report().rules.front().hits->packets == 7; });
    bench.remove("nic");
    EXPECT_EQ(nic.rules().size(), 0U) << "a port that is closed has given up its rules";
    EXPECT_FALSE(nic.marks);
    EXPECT_FALSE(reconciler.report("nic").has_value());
}

TEST_F(Reconciled, AChangeTouchesItsOwnRulesOnly) {
    bench.apply();
    settle();
    const unsigned created = nic.creations, destroyed = nic.destructions;
    bench.model.tunnels.at("n2").segments = {"blue"};
    bench.apply();
    settle();
    EXPECT_EQ(nic.creations, created);
    EXPECT_EQ(nic.destructions, destroyed + 1);
}

TEST_F(Reconciled, StepsDownShapeByShape) {
    nic.queue_count = 4;
    nic.accepted = {{Fate::queue, false}};
    bench.apply();
    settle();
    EXPECT_EQ(report().steering, (FlowShape{Fate::queue, false}));
    EXPECT_EQ(report().ladder.size(), 6U + 2U) << "dropping, too, was tried";
    for (const OffloadRung& rung : report().ladder) EXPECT_EQ(rung.accepted, rung.words.empty());
    EXPECT_EQ(count(Kind::tunnel), 3U);
    EXPECT_EQ(count(OffloadedRule::State::refused), 1U) << "that which drops";
}

TEST_F(Reconciled, WhatANicCanNotDoIsRefusedInItsWords) {
    nic.accepted.clear();
    bench.apply();
    settle();
    EXPECT_FALSE(report().steering);
    EXPECT_EQ(count(OffloadedRule::State::refused), 4U);
    EXPECT_EQ(report().rules.front().reason, "action not supported");
    EXPECT_EQ(pass(bench, nic, tunnelled({}, frame(kBroadcast, 7))), (Sent{{"b1", {frame(kBroadcast, 7)}}}));
}

TEST_F(Reconciled, OthersAreDroppedOnlyWhileAllOfOursAreThere) {
    nic.capacity = 2;
    bench.apply();
    until([&] { return count(OffloadedRule::State::refused) > 0; });
    EXPECT_EQ(count(Kind::unknown_vni), 0U);
    nic.capacity = SIZE_MAX;
    until([&] { return count(Kind::unknown_vni) == 1; });
    EXPECT_EQ(count(Kind::tunnel), 3U);
    // A new one: before its frames are let in, nothing drops them.
    nic.latency = 2000us;
    bench.model.tunnels.at("n2").segments.push_back("green");
    bench.apply();
    EXPECT_NE(nic.judge(tunnelled({.vni = 300}, frame(kBroadcast, 7))), std::nullopt);
    settle();
    EXPECT_EQ(count(Kind::tunnel), 4U);
    EXPECT_EQ(count(Kind::unknown_vni), 1U);
}

TEST_F(Reconciled, RulesThatAreLostComeBack) {
    bench.apply();
    settle();
    for (const bool announced : {true, false}) {
        nic.lose_all(announced);
        until([&] { return nic.rules().size() == 4; });
        const auto events = reconciler.take_events();
        EXPECT_TRUE(std::ranges::any_of(events, [](const OffloadEvent& event) {
            return event.kind == OffloadEvent::Kind::lost && event.count == 4;
        })) << announced;
    }
}

TEST_F(Reconciled, WhatIsNotGivenUpOneByOneIsFlushed) {
    bench.apply();
    settle();
    nic.keep = 1000;
    bench.model.tunnels.at("n2").segments.push_back("green");
    bench.apply();
    EXPECT_NE(nic.judge(tunnelled({.vni = 300}, frame(kBroadcast, 7))), std::nullopt);
    nic.keep = 0;
    settle();
    EXPECT_EQ(nic.rules().size(), 5U);
}

TEST_F(Impatient, AChangeIsRefusedIfTheNicWouldDropWhatItLetsIn) {
    bench.apply();
    settle();
    nic.keep = 1'000'000;
    nic.is_stubborn = true;
    bench.model.tunnels.at("n2").segments.push_back("green");
    const auto applied = bench.vswitch().apply(
        bench.model, {{"b1", &bench["b1"]}, {"r1", &bench["r1"]}, {"g1", &bench["g1"]}, {"nic", &bench["nic"]}});
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, ErrorCode::device_failed);
    EXPECT_THAT(applied.error().message, testing::HasSubstr("\"nic\""));
    // All goes on as before.
    EXPECT_EQ(pass(bench, nic, tunnelled({}, frame(kBroadcast, 7))), (Sent{{"b1", {frame(kBroadcast, 7)}}}));
    nic.keep = 0;
    nic.is_stubborn = false;
    bench.apply();
    EXPECT_EQ(pass(bench, nic, tunnelled({.vni = 300}, frame(kBroadcast, 7))), (Sent{{"g1", {frame(kBroadcast, 7)}}}));
}

TEST_F(Reconciled, ProbesAnew) {
    bench.apply();
    settle();
    nic.accepted = {{Fate::outer_rss, true}};
    const auto found = reconciler.probe("nic");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->steering, (FlowShape{Fate::outer_rss, true}));
    until([&] { return count(Kind::tunnel) == 3; });
    EXPECT_FALSE(reconciler.probe("b1"));
}

TEST_F(Reconciled, TenThousandRulesWithinASecond) {
    for (unsigned segment = 0; segment < 100; ++segment) bench.segment("s" + std::to_string(segment), 1000 + segment);
    std::vector<std::string> names;
    for (unsigned segment = 0; segment < 100; ++segment) names.push_back("s" + std::to_string(segment));
    for (unsigned node = 0; node < 100; ++node)
        bench.tunnel("t" + std::to_string(node), "192.0.2." + std::to_string(10 + node), names, std::nullopt);
    // The best of three: others have the machine, too.
    auto took = std::chrono::steady_clock::duration::max();
    const auto tunnels = bench.model.tunnels;
    for (int attempt = 0; attempt < 3 && took >= 1s; ++attempt) {
        bench.model.tunnels.clear();
        bench.apply();
        ASSERT_TRUE(reconciler.settle(60s));
        bench.model.tunnels = tunnels;
        bench.apply();
        const auto begin = std::chrono::steady_clock::now();
        ASSERT_TRUE(reconciler.settle(60s));
        took = std::min(took, std::chrono::steady_clock::now() - begin);
        EXPECT_EQ(count(Kind::tunnel), 10'003U);
    }
    EXPECT_LT(took, 1s) << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms";
    // One MAC of a pod touches none of them.
    const unsigned created = nic.creations, destroyed = nic.destructions;
    bench.model.ports.at("b1").attachments[0].macs = {MacAddress(0x0200'0000'0009ULL)};
    bench.apply();
    ASSERT_TRUE(reconciler.settle(60s));
    EXPECT_EQ(nic.creations, created);
    EXPECT_EQ(nic.destructions, destroyed);
}

/// The same changes and frames with a NIC that does something, and without: nobody sees a difference, whatever goes
/// wrong in the NIC, and however far the reconciler is.
constexpr int kSequences = 1000;
TEST(OffloadedOrNot, TheVerdictIsTheSame) {
    std::mt19937 random(6);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
    const auto one_in = [&](unsigned n) { return below(n) == 0; };
    for (int sequence = 0; sequence < kSequences; ++sequence) {
        FlowNic nic;
        nic.capacity = one_in(3) ? 3 : SIZE_MAX;
        Bench plain, offloaded;
        Reconciler reconciler{kPatient};
        offloaded.vswitch().set_watcher(&reconciler);
        for (Bench* bench : {&plain, &offloaded}) {
            bench->segment("blue", 100);
            bench->segment("red", 200);
            bench->segment("green", 300);
            bench->access("b1", "blue");
            bench->access("r1", "red");
            bench->access("g1", "green");
            bench->underlay("nic");
            bench->tunnel("n2", "192.0.2.2", {"blue"});
        }
        offloaded["nic"].set_flows(&nic);
        for (int step = 0; step < 10; ++step) {
            switch (below(6)) {
                case 0:
                    nic.refuse = below(5);
                    break;
                case 1:
                    nic.no_space = below(5);
                    break;
                case 2:
                    nic.keep = below(5);
                    break;
                case 3:
                    nic.lose_all(true);
                    break;  // unannounced, what is put in meanwhile may hide what is gone
                case 4:
                    nic.latency = std::chrono::microseconds(below(500));
                    break;
                default:
                    break;
            }
            std::vector<std::string> segments;
            for (const char* name : {"blue", "red", "green"})
                if (one_in(2)) segments.emplace_back(name);
            const std::string node = one_in(2) ? "2" : "3";
            const bool is_kept = !one_in(4);
            const std::uint32_t keepalive = one_in(4) ? 300 : 0;
            for (Bench* bench : {&plain, &offloaded}) {
                bench->model.tunnels.erase("n" + node);
                if (is_kept)
                    bench->tunnel("n" + node, "192.0.2." + node, segments, std::nullopt).keepalive_ms = keepalive;
                bench->apply();
            }
            for (int frames = 0; frames < 12; ++frames) {
                OuterSpec spec{.source = "192.0.2." + std::to_string(2 + below(3)), .vni = 100 * (1 + below(4))};
                if (one_in(6)) spec.ecn = static_cast<std::uint8_t>(below(4));
                if (one_in(6)) spec.has_udp_checksum = true;
                const Bytes wire = tunnelled(spec, frame(kBroadcast, 7));
                plain["nic"].inject(wire);
                plain.run();
                const Sent expected = sent_to_pods(plain);
                EXPECT_EQ(pass(offloaded, nic, wire), expected)
                    << "sequence " << sequence << ", step " << step << ", from " << spec.source << " VNI " << spec.vni;
            }
        }
        nic.refuse = nic.no_space = nic.keep = 0;
        EXPECT_TRUE(reconciler.settle(60s));
        offloaded.vswitch().set_watcher(nullptr);
    }
}

}  // namespace
}  // namespace bulkhead::test
