// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "tests/unit/vswitch/overlay/underlay_fixture.h"

namespace bulkhead::test {
namespace {

const Bytes kArpProbe =
    hex("ffffffffffff0200000000010806000108000604000102000000000100000000000000000000c00002010000000000000000"
        "00000000000000000000");
const Bytes kArpAnnouncement =
    hex("ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c00002010000000000000000"
        "00000000000000000000");
const Bytes kDadProbe =
    hex("3333ff00000102000000000186dd6000000000183aff00000000000000000000000000000000ff0200000000000000000001"
        "ff00000187004ced0000000020010db8000000000000000000000001");
const Bytes kDadProbeLinkLocal =
    hex("3333ff00000102000000000186dd6000000000183aff00000000000000000000000000000000ff0200000000000000000001"
        "ff00000187007d2500000000fe80000000000000000000fffe000001");
const Bytes kNdAnnouncement =
    hex("33330000000102000000000186dd6000000000203aff20010db8000000000000000000000001ff0200000000000000000000"
        "000000018800f92a2000000020010db80000000000000000000000010201020000000001");

class UnderlayAddresses : public UnderlayTest {
  protected:
    const Events kDuplicate{{Event::address_duplicate, ip("192.0.2.1"), station_mac(2)}};
    const Events kDuplicate6{{Event::address_duplicate, ip("2001:db8::1"), station_mac(2)}};

    OwnAddresses::State address(std::string_view text) {
        for (const auto& state : host_.addresses())
            if (state.ip == ip(text)) return state;
        ADD_FAILURE() << "no address " << text;
        return {};
    }
};

TEST_F(UnderlayAddresses, AreProbedThenAnnouncedThenQuiet) {
    const std::uint64_t start = now_;
    host_.link_up(now_);
    run_until(start + 600'000);
    std::map<Bytes, std::vector<std::uint64_t>> times;
    for (const auto& [at, frame] : take_sent()) times[frame].push_back(at - start);
    const std::uint64_t delay = times[kArpProbe].at(0);
    EXPECT_LT(delay, 1000U);
    using Times = std::vector<std::uint64_t>;
    EXPECT_EQ(times[kArpProbe], (Times{delay, delay + 1000, delay + 2000}));
    EXPECT_EQ(times[kArpAnnouncement], (Times{delay + 4000, delay + 6000}));
    EXPECT_EQ(times[kDadProbe], Times{delay});
    EXPECT_EQ(times[kDadProbeLinkLocal], Times{delay});
    EXPECT_EQ(times[kNdAnnouncement], (Times{delay + 1000, delay + 2000, delay + 3000}));
    EXPECT_EQ(times.size(), 6U) << "and the link-local address's announcement, nothing else";
    EXPECT_EQ(host_.next_deadline(), kNever);
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayAddresses, AreTentativeUntilTheyAreAnnounced) {
    host_.link_up(now_);
    run_until(now_ + 4000);
    EXPECT_TRUE(address("192.0.2.1").is_tentative);
    EXPECT_FALSE(address("2001:db8::1").is_tentative);
    run_until(now_ + 1000);
    EXPECT_FALSE(address("192.0.2.1").is_tentative);
    host_.link_up(now_);
    EXPECT_TRUE(address("192.0.2.1").is_tentative) << "a new link, a new claim";
}

TEST_F(UnderlayAddresses, ADuplicateIsReportedAndDefendedAgainstEveryTenSecondsAtMost) {
    settle();
    for (const Bytes& claim : {arp_frame({.sender_ip = "192.0.2.1", .target_ip = "192.0.2.1"}),
                               arp_frame({.operation = 2, .sender_ip = "192.0.2.1", .to = 1}),
                               arp_frame({.sender_ip = "192.0.2.1", .target_ip = "192.0.2.77"})}) {
        now_ += 10'000;
        EXPECT_EQ(receive(claim), Verdict::noted);
        EXPECT_EQ(host_.take_events(), kDuplicate);
        EXPECT_EQ(take_only(), kArpAnnouncement);
        EXPECT_EQ(address("192.0.2.1").rival, station_mac(2));
        EXPECT_EQ(address("192.0.2.1").rival_heard, now_);
        for (int again = 0; again < 9; ++again) {
            now_ += 1;
            EXPECT_EQ(receive(claim), Verdict::noted);
        }
        EXPECT_EQ(host_.take_events(), Events());
        EXPECT_TRUE(take_sent().empty());
    }
    EXPECT_EQ(host_.neighbors(now_).size(), 1U) << "we are no neighbour of ourselves";
    EXPECT_EQ(receive(arp_frame({})), Verdict::used) << "the address is still ours";
}

TEST_F(UnderlayAddresses, ADuplicateOfIpv6IsSeenInAdvertisementsAndSolicitations) {
    settle();
    const Bytes mac = mac_option(2, 2);
    for (const Bytes& claim :
         {icmpv6_frame({.to = hex("333300000001"), .source = "2001:db8::1", .destination = "ff02::1"},
                       advertisement("2001:db8::1", kOverride, mac)),
          icmpv6_frame({.source = "2001:db8::1", .destination = "2001:db8::1"},
                       advertisement("2001:db8::1", kSolicited, {})),
          icmpv6_frame({.to = hex("3333ff000077"), .source = "2001:db8::1", .destination = "ff02::1:ff00:77"},
                       solicitation("2001:db8::77", mac_option(1, 2)))}) {
        now_ += 10'000;
        EXPECT_EQ(receive(claim), Verdict::noted);
        EXPECT_EQ(host_.take_events(), kDuplicate6);
        EXPECT_EQ(take_only(), kNdAnnouncement);
    }
    EXPECT_FALSE(address("192.0.2.1").rival) << "only the address that was claimed";
}

TEST_F(UnderlayAddresses, WhoProbesWhileWeProbeIsADuplicateLaterOnesAreJustAnswered) {
    const Bytes probe = arp_frame({.sender_ip = "0.0.0.0"});
    const Bytes dad = icmpv6_frame({.to = hex("3333ff000001"), .source = "::", .destination = "ff02::1:ff00:1"},
                                   solicitation("2001:db8::1", {}));
    host_.link_up(now_);
    (void)take_sent();
    EXPECT_EQ(receive(probe), Verdict::used);
    EXPECT_EQ(host_.take_events(), kDuplicate);
    EXPECT_EQ(take_sent().size(), 2U) << "the defence, and the answer";
    EXPECT_EQ(receive(dad), Verdict::used);
    EXPECT_EQ(host_.take_events(), kDuplicate6);
    host_.link_up(now_);
    for (const std::uint64_t later : {5000, 5000}) {  // announcements are still to come, and then no more
        run_until(now_ + later);
        (void)take_sent();
        EXPECT_EQ(receive(probe), Verdict::used);
        EXPECT_EQ(receive(dad), Verdict::used);
        EXPECT_EQ(host_.take_events(), Events());
        EXPECT_EQ(take_sent().size(), 2U) << "two answers";
    }
}

TEST_F(UnderlayAddresses, OurOwnFramesBackFromTheLinkAreNobodysClaim) {
    host_.link_up(now_);
    run_until(now_ + 10'000);
    want({"192.0.2.2", "2001:db8::2"});
    const auto sent = take_sent();
    ASSERT_GE(sent.size(), 14U);
    for (const auto& [at, frame] : sent) {
        EXPECT_EQ(receive(frame), Verdict::not_ours);
        Bytes through_a_proxy = frame;  // with another Ethernet source
        through_a_proxy[11] = 3;
        EXPECT_EQ(frame == kDadProbe || frame == kDadProbeLinkLocal ? Verdict::not_ours : receive(through_a_proxy),
                  Verdict::not_ours);
    }
    EXPECT_EQ(host_.take_events(), Events());
    EXPECT_TRUE(take_sent().empty());
}

TEST_F(UnderlayAddresses, AFloodOfQuestionsGetsBoundedAnswersAndTheWantedStillGetTheirs) {
    settle();
    resolve_peer();
    const std::uint64_t start = now_;
    std::size_t answered = 0, limited = 0;
    for (unsigned at = 0; at < 100'000; ++at) {
        now_ = start + at / 50;
        const Verdict verdict = receive(arp_frame({.sender = 66, .sender_ip = "192.0.2.66"}));
        answered += verdict == Verdict::used ? 1 : 0;
        limited += verdict == Verdict::limited ? 1 : 0;
    }
    EXPECT_EQ(answered + limited, 100'000U);
    EXPECT_LE(answered, 1024U + 2000U);
    EXPECT_GE(answered, 3000U);
    EXPECT_EQ(take_sent().size(), answered);
    EXPECT_EQ(receive(arp_frame({})), Verdict::used) << "of a wanted neighbour";
}

TEST_F(UnderlayAddresses, AFloodOfPingsGetsBoundedReplies) {
    settle();
    const Bytes ping = ping_frame({});
    const std::uint64_t start = now_;
    for (unsigned at = 0; at < 50'000; ++at) {
        now_ = start + at / 50;
        (void)receive(ping);
    }
    EXPECT_LE(take_sent().size(), 250U + 1000U);
    now_ += 1'000'000'000'000;  // a rest of any length is no more than a full bucket
    for (unsigned at = 0; at < 1000; ++at) (void)receive(ping);
    EXPECT_EQ(take_sent().size(), 250U);
}

}  // namespace
}  // namespace bulkhead::test
