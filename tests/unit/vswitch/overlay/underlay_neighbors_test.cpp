// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <string>

#include "tests/unit/vswitch/overlay/underlay_fixture.h"

namespace bulkhead::test {
namespace {

const Bytes kAskEverybody =
    hex("ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c00002020000000000000000"
        "00000000000000000000");
/// The same question, to one station only.
Bytes ask(unsigned station) {
    Bytes frame = kAskEverybody;
    std::ranges::copy(mac_bytes(station), frame.begin());
    return frame;
}

class UnderlayNeighbors : public UnderlayTest {
  protected:
    Changes peer_is_at(unsigned station) { return {{ip("192.0.2.2"), station_mac(station)}}; }
};

TEST_F(UnderlayNeighbors, AreAskedForOnlyWhenTheLinkIsUp) {
    want({"192.0.2.2"});
    run_until(now_ + 60'000);
    EXPECT_TRUE(take_sent().empty());
    EXPECT_EQ(host_.next_deadline(), kNever);
    host_.link_up(now_);
    EXPECT_EQ(take_only(), kAskEverybody);
}

TEST_F(UnderlayNeighbors, ThatAreSilentAreReportedAndAskedEverMoreSeldom) {
    settle();
    const std::uint64_t start = now_;
    want({"192.0.2.2"});
    run_until(start + 2999);
    EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::incomplete);
    EXPECT_EQ(host_.take_events(), Events());
    run_until(start + 40'000);
    std::vector<std::uint64_t> times;
    for (const auto& [at, frame] : take_sent()) {
        times.push_back(at - start);
        EXPECT_EQ(frame, kAskEverybody);
    }
    EXPECT_EQ(times, (std::vector<std::uint64_t>{0, 1000, 2000, 3000, 5000, 9000, 17000, 27000, 37000}));
    EXPECT_EQ(host_.take_events(), (Events{{Event::neighbor_failed, ip("192.0.2.2"), std::nullopt}}));
    EXPECT_EQ(host_.take_changes(), Changes()) << "there never was a MAC to lose";
    EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::failed);

    EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::noted);
    EXPECT_EQ(host_.take_events(), (Events{{Event::neighbor_reachable, ip("192.0.2.2"), station_mac(2)}}));
    EXPECT_EQ(host_.take_changes(), peer_is_at(2));
}

TEST_F(UnderlayNeighbors, AreProbedBeforeTheyExpireAndLoseNoMacMeanwhile) {
    settle();
    resolve_peer();
    for (int round = 0; round < 5; ++round) {
        const std::uint64_t confirmed = now_;
        run_until_sent();
        EXPECT_GE(now_, confirmed + 20'000);
        EXPECT_LE(now_, confirmed + 27'000) << "three probes before 30 s are over";
        EXPECT_EQ(take_only(), ask(2));
        EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::probing);
        EXPECT_EQ(host_.mac_of(ip("192.0.2.2")), station_mac(2));
        EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::noted);
        EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::reachable);
    }
    EXPECT_EQ(host_.take_changes(), Changes());
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayNeighbors, ThatFallSilentAreAskedAloneThenAmongAllThenLost) {
    settle();
    resolve_peer();
    run_until_sent();
    const std::uint64_t first = now_;
    run_until(first + 5999);
    const auto sent = take_sent();
    ASSERT_EQ(sent.size(), 6U);
    for (std::size_t at = 0; at < sent.size(); ++at) {
        EXPECT_EQ(sent[at].at, first + 1000 * at);
        EXPECT_EQ(sent[at].frame, at < 3 ? ask(2) : kAskEverybody);
    }
    EXPECT_EQ(host_.take_changes(), Changes());
    run_until(first + 6000);
    EXPECT_EQ(host_.take_changes(), (Changes{{ip("192.0.2.2"), std::nullopt}}));
    EXPECT_EQ(host_.take_events(), (Events{{Event::neighbor_failed, ip("192.0.2.2"), station_mac(2)}}));
    EXPECT_EQ(host_.mac_of(ip("192.0.2.2")), std::nullopt);
}

TEST_F(UnderlayNeighbors, GratuitousArpMovesAWantedOneAtOnce) {
    settle();
    resolve_peer();
    for (const std::uint16_t operation : std::initializer_list<std::uint16_t>{1, 2}) {
        const unsigned station = 10U + operation;
        EXPECT_EQ(receive(arp_frame({.operation = operation, .sender = station, .target_ip = "192.0.2.2"})),
                  Verdict::noted);
        EXPECT_EQ(host_.take_changes(), peer_is_at(station));
        EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::stale);
        EXPECT_TRUE(take_sent().empty()) << "nobody asked for us";
        run_until_sent();
        EXPECT_EQ(take_only(), ask(station)) << "the new MAC is asked to confirm";
    }
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayNeighbors, AClaimWithEveryFrameIsNotAQuestionWithEveryFrame) {
    settle();
    resolve_peer();
    const std::uint64_t start = now_;
    for (unsigned at = 0; at < 10'000; ++at) {
        now_ = start + at;
        (void)receive(arp_frame({.sender = 100 + at % 50, .target_ip = "192.0.2.2"}));
        host_.tick(now_);
    }
    EXPECT_LE(take_sent().size(), 11U) << "one a second";
    EXPECT_EQ(host_.take_changes().size(), 1U) << "the newest";
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayNeighbors, OfUnknownStationsNothingIsKept) {
    settle();
    EXPECT_EQ(receive(arp_frame({.target_ip = "192.0.2.2"})), Verdict::not_ours);
    EXPECT_EQ(receive(arp_frame({.target_ip = "192.0.2.77"})), Verdict::not_ours);
    EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::not_ours);
    EXPECT_EQ(receive(icmpv6_frame({}, advertisement("2001:db8::2", kSolicited | kOverride, mac_option(2, 2)))),
              Verdict::not_ours);
    EXPECT_EQ(receive(arp_frame({.sender_ip = "198.51.100.1"})), Verdict::used)
        << "answered, but on no network of ours";
    EXPECT_EQ(host_.neighbors(now_).size(), 1U) << "only the fixed one";
}

TEST_F(UnderlayNeighbors, ThatAskedForUsAreKnownWhenTheyAreWanted) {
    settle();
    EXPECT_EQ(receive(arp_frame({})), Verdict::used);
    (void)take_sent();
    EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::stale);
    EXPECT_EQ(host_.take_changes(), Changes());
    now_ += 59'999;
    want({"192.0.2.2"});
    EXPECT_EQ(host_.take_changes(), peer_is_at(2));
    EXPECT_EQ(take_only(), ask(2));
    EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::probing);
}

TEST_F(UnderlayNeighbors, ThatAskedForUsAreForgottenAfterAMinute) {
    settle();
    EXPECT_EQ(receive(arp_frame({})), Verdict::used);
    run_until(now_ + 60'000);
    EXPECT_EQ(host_.neighbors(now_).size(), 1U);
    EXPECT_EQ(host_.next_deadline(), kNever);
}

TEST_F(UnderlayNeighbors, NoLongerWantedAreNotAskedAndSoonForgotten) {
    settle();
    resolve_peer();
    want({});
    run_until(now_ + 60'000);
    EXPECT_TRUE(take_sent().empty());
    EXPECT_EQ(host_.take_changes(), Changes());
    EXPECT_EQ(host_.take_events(), Events());
    EXPECT_EQ(host_.neighbors(now_).size(), 1U);
    want({"192.0.2.2"});
    want({});
    EXPECT_EQ(host_.neighbors(now_).size(), 1U) << "one that never answered is forgotten at once";
    want({"192.0.2.2"});
    EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::noted);
    want({});
    EXPECT_EQ(host_.take_changes(), Changes()) << "of what nobody wants to know any more";
}

TEST_F(UnderlayNeighbors, AreBoundedHoweverManyAskForUs) {
    settle();
    want({"192.0.2.2", "192.0.2.254"});
    for (unsigned at = 0; at < 5000; ++at) {
        const std::string address = "2001:db8::" + std::to_string(1000 + at);
        now_ += 2;
        EXPECT_EQ(receive(icmpv6_frame({.from = 1000 + at, .source = address},
                                       solicitation("2001:db8::1", mac_option(1, 1000 + at)))),
                  Verdict::used);
    }
    EXPECT_EQ(host_.neighbors(now_).size(), NeighborCache::kMaxUnwanted + 3);
    EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::noted) << "the wanted have their place";
    EXPECT_EQ(host_.mac_of(ip("192.0.2.2")), station_mac(2));
    want({});
    EXPECT_LE(host_.neighbors(now_).size(), NeighborCache::kMaxUnwanted + 1);
    run_until(now_ + 60'000);
    EXPECT_EQ(host_.neighbors(now_).size(), 1U);
    EXPECT_EQ(receive(arp_frame({})), Verdict::used);
    EXPECT_EQ(host_.neighbors(now_).size(), 2U) << "there is room again";
}

TEST_F(UnderlayNeighbors, FixedOnesAreNeitherAskedNorChanged) {
    settle();
    want({"192.0.2.9"});
    EXPECT_EQ(host_.take_changes(), (Changes{{ip("192.0.2.9"), station_mac(9)}}));
    EXPECT_EQ(receive(arp_frame({.sender = 66, .sender_ip = "192.0.2.9"})), Verdict::used) << "answered all the same";
    EXPECT_EQ(take_sent().size(), 1U);
    EXPECT_EQ(receive(arp_frame({.sender = 66, .sender_ip = "192.0.2.9", .target_ip = "192.0.2.9"})), Verdict::noted);
    EXPECT_EQ(receive(arp_frame({.operation = 2, .sender = 66, .sender_ip = "192.0.2.9", .to = 1})), Verdict::noted);
    run_until(now_ + 600'000);
    EXPECT_TRUE(take_sent().empty());
    EXPECT_EQ(host_.take_changes(), Changes());
    EXPECT_EQ(host_.take_events(), Events());
    EXPECT_EQ(neighbor("192.0.2.9"), (CachedNeighbor{ip("192.0.2.9"), station_mac(9), NeighborState::fixed, true, 0}));
}

TEST_F(UnderlayNeighbors, AnArpReplyToAllIsNoAnswerToUs) {
    settle();
    want({"192.0.2.2"});
    EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 0xff})), Verdict::noted);
    EXPECT_EQ(neighbor("192.0.2.2").state, NeighborState::stale);
    EXPECT_EQ(host_.take_changes(), peer_is_at(2)) << "but its MAC is used";
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayNeighbors, AreAskedAnewWhenTheLinkComesBack) {
    settle();
    resolve_peer();
    host_.link_down();
    EXPECT_EQ(host_.next_deadline(), kNever);
    run_until(now_ + 1000);
    EXPECT_TRUE(take_sent().empty());
    host_.link_up(now_);
    EXPECT_EQ(take_only(), ask(2)) << "long before it would expire";
    EXPECT_EQ(host_.mac_of(ip("192.0.2.2")), station_mac(2)) << "used meanwhile";
}

TEST_F(UnderlayNeighbors, ALateTickIsOneStep) {
    settle();
    want({"192.0.2.2"});
    (void)take_sent();
    now_ += 3'600'000;
    host_.tick(now_);
    EXPECT_EQ(take_sent().size(), 1U);
    EXPECT_EQ(host_.next_deadline(), now_ + 1000);
}

}  // namespace
}  // namespace bulkhead::test
