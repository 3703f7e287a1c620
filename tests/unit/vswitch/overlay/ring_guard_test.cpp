// SPDX-License-Identifier: Apache-2.0
// What a node of a ring of spokes does with frames that come round, with probes, and with a link that is cut.
#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/overlay/flood_memory.h"
#include "vswitch/overlay/ring_probe.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;
using Sent = std::map<std::string, std::vector<Bytes>>;
using Kind = RingEvent::Kind;

std::vector<Kind> kinds(const std::vector<RingEvent>& events) {
    std::vector<Kind> kinds;
    for (const RingEvent& event : events) kinds.push_back(event.kind);
    return kinds;
}

/// Segment blue with a pod and spokes to nodes 2 and 3; red with a pod and a spoke to node 2 alone.
struct RingOfSpokes : testing::Test {
    RingOfSpokes() {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        for (const char* pod : {"b1", "b2"}) bench.access(pod, "blue").device = TapDevice{};
        bench.access("r1", "red").device = TapDevice{};
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"blue", "red"}).horizon = Horizon::spoke;
        bench.tunnel("n3", "192.0.2.3", {"blue"}).horizon = Horizon::spoke;
        bench.apply();
    }

    Sent from(unsigned node, const Bytes& inner, std::uint32_t vni = 100) {
        return pass("nic", tunnelled({.source = "192.0.2." + std::to_string(node), .vni = vni}, inner));
    }
    /// What pods' frames become; what the node itself says on its underlay is left out.
    Sent pass(const std::string& port, const Bytes& bytes) {
        Sent sent = bench.pass(port, bytes);
        if (!sent.contains("nic")) return sent;
        std::erase_if(sent["nic"], [](const Bytes& outer) { return !is_tunnelled(outer) || is_question(outer); });
        if (sent["nic"].empty()) sent.erase("nic");
        return sent;
    }
    static bool is_tunnelled(const Bytes& outer) { return outer.size() > 64 && outer[12] == 8 && outer[13] == 0; }
    static bool is_question(const Bytes& outer) {
        const auto probe = read_ring_probe(read_outer(outer).inner);
        return probe && probe->hops == 32;
    }
    /// Where frames went by tunnel: the last octets of the remotes.
    static std::vector<unsigned> remotes(const Sent& sent) {
        std::vector<unsigned> remotes;
        if (!sent.contains("nic")) return remotes;
        for (const Bytes& bytes : sent.at("nic")) remotes.push_back(bytes[33]);
        return remotes;
    }
    /// Another tenth of a second, in which whatever leaves for one of the two nodes comes back from the other one.
    void turn(bool is_ring = true) {
        bench.now_ms += 100;
        bench.run();
        for (int round = 0; round < 20; ++round) {
            const auto frames = bench["nic"].take_bytes();
            if (frames.empty()) break;
            for (const Bytes& bytes : frames) {
                if (!is_tunnelled(bytes)) continue;
                ++on_the_cable;
                const std::string source = bytes[33] == 2 ? "192.0.2.3" : "192.0.2.2";
                if (is_ring) bench["nic"].inject(tunnelled({.source = source}, read_outer(bytes).inner));
            }
            bench.run();
        }
    }
    /// Broadcasts of a pod until the ring is cut.
    void cut() {
        for (unsigned tenth = 0; tenth < 10; ++tenth) {
            bench["b1"].inject(frame(kBroadcast, 1, {}, 50 + tenth));
            turn();
        }
        for (const RingEvent& event : bench.vswitch().take_ring_events()) events.push_back(event);
        (void)bench["b2"].take_bytes();
        cut_before = bench.drops(DropReason::spoke_cut);
    }

    Bench bench;
    std::vector<RingEvent> events;
    unsigned on_the_cable = 0;
    std::uint64_t cut_before = 0;  ///< what was dropped at the cut already
};

TEST_F(RingOfSpokes, OnlyTheFirstCopyIsTaken) {
    const Bytes inner = frame(kBroadcast, 7);
    EXPECT_EQ(remotes(from(2, inner)), std::vector<unsigned>{3});
    EXPECT_EQ(from(3, inner), Sent{});
    EXPECT_EQ(bench.drops(DropReason::duplicate_flood), 1U);
    EXPECT_EQ(bench.vswitch().macs({.tunnel = "n2"}).size(), 1U) << "nothing is learned from the other copy";
    EXPECT_EQ(remotes(from(2, inner)), std::vector<unsigned>{3}) << "sent again is no copy";
}

TEST_F(RingOfSpokes, AFrameOfAPodThatComesBackIsKnown) {
    const Bytes inner = frame(kBroadcast, 1);
    EXPECT_EQ(remotes(pass("b1", inner)).size(), 2U);
    EXPECT_EQ(from(2, inner), Sent{});
    EXPECT_EQ(from(3, inner), Sent{});
    EXPECT_EQ(bench.drops(DropReason::duplicate_flood), 2U);
    EXPECT_EQ(bench.vswitch().macs({.port = "b1"}).size(), 1U);
    EXPECT_EQ(pass("b1", inner).size(), 2U);
    EXPECT_EQ(pass("b2", inner).size(), 2U) << "a pod may say what another one says";
}

TEST_F(RingOfSpokes, UnknownUnicastIsTakenOnceAndKnownAsOftenAsItComes) {
    from(2, frame(9, 7));
    EXPECT_EQ(from(3, frame(9, 7)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::duplicate_flood), 1U);
    pass("b1", frame(kBroadcast, 1));
    EXPECT_EQ(from(2, frame(1, 8)).size(), 1U);
    EXPECT_EQ(from(3, frame(1, 8)).size(), 1U);
}

TEST_F(RingOfSpokes, OtherSegmentsAreNotWatched) {
    const Bytes inner = frame(kBroadcast, 7);
    EXPECT_EQ(from(2, inner, 200).size(), 1U);
    EXPECT_EQ(from(2, inner).size(), 3U) << "the same in blue: two pods and node 3";
    pass("r1", inner);
    EXPECT_EQ(from(2, inner, 200).size(), 1U) << "one spoke is no ring";
    EXPECT_EQ(bench.drops(DropReason::duplicate_flood), 0U);
}

TEST_F(RingOfSpokes, AMeshIsNotWatched) {
    for (auto& [name, tunnel] : bench.model.tunnels) tunnel.horizon = Horizon::mesh;
    bench.apply();
    from(2, frame(kBroadcast, 7));
    EXPECT_EQ(from(3, frame(kBroadcast, 7)).size(), 2U);
}

TEST_F(RingOfSpokes, ACopyIsKnownWhateverDevicesDidToIt) {
    Bytes udp = frame(kBroadcast, 7, {}, 28);
    udp[14] = 0x45;
    udp[20] = udp[21] = 0;
    udp[23] = 17;
    Bytes finished = udp;
    finished[14 + 20 + 6] ^= 0x55;
    finished[14 + 20 + 7] ^= 0xaa;
    finished.resize(60);
    from(2, udp);
    EXPECT_EQ(from(3, finished), Sent{}) << "its checksum filled in, and padded";
    Bytes other = udp;
    other[14 + 20 + 4] ^= 1;
    EXPECT_NE(from(3, other), Sent{});
}

TEST_F(RingOfSpokes, ACopyThroughAVlanIsKnown) {
    bench.trunk("provider");
    bench.vlan("provider", 30, "blue");
    bench.model.tunnels.erase("n3");  // a spoke and a NIC are enough
    bench.apply();
    EXPECT_EQ(from(2, frame(kBroadcast, 7)).at("provider"), (std::vector<Bytes>{frame(kBroadcast, 7, {{30}})}));
    EXPECT_EQ(pass("provider", frame(kBroadcast, 7, {{30}})), Sent{});
    EXPECT_EQ(bench.drops(DropReason::duplicate_flood), 1U);
}

TEST_F(RingOfSpokes, ProbesArePassedOnAndNeverDelivered) {
    const RingProbe probe{.sender = 5, .vni = 100, .sequence = 1, .kind = RingProbe::Kind::question, .hops = 4};
    const RingProbeFrame bytes = write_ring_probe(probe);
    const Bytes inner(bytes.begin(), bytes.end());
    const Sent sent = from(2, inner);
    ASSERT_EQ(remotes(sent), std::vector<unsigned>{3});
    ASSERT_EQ(sent.size(), 1U) << "no pod gets it";
    RingProbe next = probe;
    next.hops = 3;
    EXPECT_EQ(read_ring_probe(read_outer(sent.at("nic")[0]).inner), next);
    EXPECT_EQ(from(2, inner, 200), Sent{}) << "not even where there is nothing to watch";
    EXPECT_EQ(pass("b1", inner), Sent{}) << "nor may a pod send one";
    EXPECT_EQ(bench.drops(DropReason::ring_probe), 3U);
    EXPECT_EQ(bench.vswitch().mac_count("blue"), 0U);
}

TEST_F(RingOfSpokes, ARingIsCutWithinASecond) {
    cut();
    ASSERT_EQ(kinds(events), (std::vector<Kind>{Kind::suspected, Kind::cut}));
    EXPECT_EQ(events[1].segment, "blue");
    const std::string tunnel = events[1].tunnel;
    EXPECT_EQ(bench.vswitch().tunnel_state(tunnel).cut, std::vector<std::string>{"blue"});
    EXPECT_LT(on_the_cable, 60U) << "ten broadcasts two ways, and probes";

    const unsigned cut_node = tunnel == "n2" ? 2 : 3, other = 5 - cut_node;
    EXPECT_EQ(from(cut_node, frame(kBroadcast, 7)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::spoke_cut), cut_before + 1);
    EXPECT_EQ(remotes(pass("b1", frame(kBroadcast, 1))), std::vector<unsigned>{other});
    const Sent red = from(2, frame(kBroadcast, 7), 200);
    EXPECT_TRUE(red.contains("r1")) << "of another segment it carries what it did";
}

TEST_F(RingOfSpokes, NothingIsSentThroughACutByAStaticEntry) {
    cut();
    ASSERT_EQ(events.size(), 2U);
    const MacAddress mac(0x0200'0000'0009ULL);
    bench.model.static_macs[{"blue", mac}] = {.segment = "blue", .mac = mac, .tunnel = events[1].tunnel};
    bench.apply();
    EXPECT_EQ(pass("b1", frame(9, 1)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::spoke_cut), cut_before + 1);
}

TEST_F(RingOfSpokes, ACutForgetsWhatWasBehindTheLinks) {
    from(2, frame(kBroadcast, 7));
    from(3, frame(kBroadcast, 8));
    cut();
    EXPECT_EQ(bench.vswitch().macs({.tunnel = "n2"}).size() + bench.vswitch().macs({.tunnel = "n3"}).size(), 0U);
    EXPECT_EQ(bench.vswitch().macs({.port = "b1"}).size(), 1U);
}

TEST_F(RingOfSpokes, ALinkIsUsedAgainWhenProbesComeBackNoMore) {
    cut();
    ASSERT_EQ(events.size(), 2U);
    for (unsigned tenth = 0; tenth < 200; ++tenth) turn();
    EXPECT_EQ(bench.vswitch().take_ring_events().size(), 0U) << "the ring is still there";
    for (unsigned tenth = 0; tenth < 80; ++tenth) turn(false);
    EXPECT_EQ(kinds(bench.vswitch().take_ring_events()), std::vector<Kind>{Kind::lifted});
    EXPECT_TRUE(bench.vswitch().tunnel_state(events[1].tunnel).cut.empty());
    EXPECT_EQ(remotes(pass("b1", frame(kBroadcast, 1))).size(), 2U);
}

TEST_F(RingOfSpokes, ACutEndsWithTheGuard) {
    cut();
    ASSERT_EQ(events.size(), 2U);
    bench.model.tunnels.erase(events[1].tunnel == "n2" ? "n3" : "n2");
    bench.apply();
    EXPECT_EQ(kinds(bench.vswitch().take_ring_events()), std::vector<Kind>{Kind::lifted});
    EXPECT_EQ(remotes(pass("b1", frame(kBroadcast, 1))).size(), 1U);
}

TEST_F(RingOfSpokes, AnAddressThatGoesRoundIsASign) {
    // Known unicast is no flood: only that its source moves again and again tells.
    pass("b1", frame(kBroadcast, 1));
    const auto move = [&](unsigned times) {
        for (unsigned at = 0; at < times; ++at) {
            from(2 + at % 2, frame(1, 7));
            (void)bench.vswitch().take_events();
        }
        turn();
        return kinds(bench.vswitch().take_ring_events());
    };
    EXPECT_EQ(move(2), std::vector<Kind>{}) << "a pod moves";
    bench.now_ms += 1000;
    EXPECT_EQ(move(6), std::vector<Kind>{Kind::suspected});
}

TEST(FloodMemory, KnowsAFrameForASecond) {
    FloodMemory memory;
    const std::uint64_t wrap = 1ULL << 20;
    for (const std::uint64_t start : {std::uint64_t{5}, wrap - 500, 7 * wrap - 1}) {
        const std::uint64_t print = 0x1234'5678'9abc'def0ULL + start;
        EXPECT_FALSE(memory.is_duplicate(print, 1, start));
        EXPECT_TRUE(memory.is_duplicate(print, 2, start));
        EXPECT_TRUE(memory.is_duplicate(print, 2, start + 999));
        EXPECT_FALSE(memory.is_duplicate(print, 2, start + 1000)) << "sent again, by another way";
        EXPECT_TRUE(memory.is_duplicate(print, 1, start + 1000));
    }
}

TEST(FloodMemory, KnowsFramesThatFallTogetherByChance) {
    FloodMemory memory;
    const auto print = [](std::uint64_t number) { return (number + 1) << 48 | 1; };
    for (std::uint64_t number = 0; number < FloodMemory::kPlacesTogether; ++number)
        EXPECT_FALSE(memory.is_duplicate(print(number), 1, number));
    for (std::uint64_t number = 0; number < FloodMemory::kPlacesTogether; ++number)
        EXPECT_TRUE(memory.is_duplicate(print(number), 2, 10)) << number;
    // One more: what is oldest is forgotten, and nothing else.
    memory.remember(print(100), 3, 11);
    EXPECT_TRUE(memory.is_duplicate(print(100), 1, 11));
    for (std::uint64_t number = 1; number < FloodMemory::kPlacesTogether; ++number)
        EXPECT_TRUE(memory.is_duplicate(print(number), 2, 12)) << number;
    EXPECT_FALSE(memory.is_duplicate(print(0), 2, 12));
}

TEST(FloodMemory, KnowsEveryCopyThatComesAMomentLater) {
    constexpr std::uint64_t kFrames = 20'000, kBetween = 64;
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> prints(kFrames);
    std::ranges::generate(prints, random);
    FloodMemory memory;
    for (std::uint64_t number = 0; number < kFrames; ++number) {
        EXPECT_FALSE(memory.is_duplicate(prints[number], 1, number / 20));
        if (number < kBetween) continue;
        EXPECT_TRUE(memory.is_duplicate(prints[number - kBetween], 2, number / 20)) << number;
    }
}

TEST(FloodMemory, AnotherWorkersClockMayBeAhead) {
    FloodMemory memory;
    memory.remember(0x0100'0000'0000'0001ULL, 1, 1001);
    EXPECT_TRUE(memory.is_duplicate(0x0100'0000'0000'0001ULL, 2, 1000));
}

}  // namespace
}  // namespace bulkhead::test
