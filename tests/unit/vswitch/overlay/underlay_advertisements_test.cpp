// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/vswitch/overlay/underlay_fixture.h"

namespace bulkhead::test {
namespace {

const Bytes kAskEverybody6 =
    hex("3333ff00000202000000000186dd6000000000203aff20010db8000000000000000000000001ff0200000000000000000001"
        "ff00000287001c270000000020010db80000000000000000000000020101020000000001");
const Bytes kAskPeer6 =
    hex("02000000000202000000000186dd6000000000203aff20010db800000000000000000000000120010db80000000000000000"
        "000000028700ec720000000020010db80000000000000000000000020101020000000001");

Bytes advertise(std::uint8_t flags, unsigned station, bool to_all = false) {
    const Bytes message = advertisement("2001:db8::2", flags, station == 0 ? Bytes() : mac_option(2, station));
    if (to_all) return icmpv6_frame({.to = hex("333300000001"), .destination = "ff02::1"}, message);
    return icmpv6_frame({}, message);
}

class UnderlayAdvertisements : public UnderlayTest {
  protected:
    void resolve_peer6() {
        want({"2001:db8::2"});
        EXPECT_EQ(receive(advertise(kSolicited | kOverride, 2)), Verdict::noted);
        sent_.clear();
        (void)host_.take_changes();
        (void)host_.take_events();
    }
    Changes peer6_is_at(unsigned station) { return {{ip("2001:db8::2"), station_mac(station)}}; }
};

TEST_F(UnderlayAdvertisements, AreAskedForInTheGroupAndThenOfTheNeighborAlone) {
    settle();
    want({"2001:db8::2"});
    EXPECT_EQ(take_only(), kAskEverybody6);
    EXPECT_EQ(receive(advertise(kSolicited | kOverride, 2)), Verdict::noted);
    EXPECT_EQ(host_.take_changes(), peer6_is_at(2));
    EXPECT_EQ(host_.take_events(), (Events{{Event::neighbor_reachable, ip("2001:db8::2"), station_mac(2)}}));
    run_until_sent();
    EXPECT_EQ(take_only(), kAskPeer6);
    EXPECT_EQ(receive(advertise(kRouter | kSolicited, 0)), Verdict::noted) << "no MAC: the same as before";
    EXPECT_EQ(neighbor("2001:db8::2").state, NeighborState::reachable);
}

/// RFC 4861, section 7.2.5 and appendix C, row by row.
TEST_F(UnderlayAdvertisements, DoWhatTheirFlagsSay) {
    struct Case {
        const char* what;
        bool known;
        Bytes frame;
        NeighborState state;
        unsigned station;
    };
    const std::vector<Case> cases = {
        {"unknown, no MAC", false, advertise(kSolicited | kOverride, 0), NeighborState::incomplete, 0},
        {"unknown, solicited", false, advertise(kSolicited, 2), NeighborState::reachable, 2},
        {"unknown, unsolicited", false, advertise(kOverride, 2, true), NeighborState::stale, 2},
        {"another MAC without override", true, advertise(kSolicited, 3), NeighborState::stale, 2},
        {"another MAC, solicited", true, advertise(kSolicited | kOverride, 3), NeighborState::reachable, 3},
        {"another MAC, unsolicited", true, advertise(kOverride, 3, true), NeighborState::stale, 3},
        {"the same MAC, unsolicited", true, advertise(kOverride, 2, true), NeighborState::reachable, 2},
        {"solicited, to a group", true, advertise(kSolicited | kOverride, 3, true), NeighborState::reachable, 2},
        {"of hop limit 64", true,
         icmpv6_frame({.hop_limit = 64}, advertisement("2001:db8::2", kOverride, mac_option(2, 3))),
         NeighborState::reachable, 2},
    };
    settle();
    for (const Case& row : cases) {
        want({});
        run_until(now_ + 60'000);
        if (row.known)
            resolve_peer6();
        else
            want({"2001:db8::2"});
        (void)receive(row.frame);
        EXPECT_EQ(neighbor("2001:db8::2").state, row.state) << row.what;
        EXPECT_EQ(host_.mac_of(ip("2001:db8::2")),
                  row.station == 0 ? std::nullopt : std::optional(station_mac(row.station)))
            << row.what;
    }
}

TEST_F(UnderlayAdvertisements, ASolicitationTellsTheMacOfItsSender) {
    settle();
    resolve_peer6();
    const Ipv6 header{.from = 5, .to = hex("3333ff000001"), .destination = "ff02::1:ff00:1"};
    EXPECT_EQ(receive(icmpv6_frame(header, solicitation("2001:db8::1", {}))), Verdict::used);
    EXPECT_EQ(host_.take_changes(), Changes()) << "it did not say";
    EXPECT_EQ(receive(icmpv6_frame(header, solicitation("2001:db8::1", mac_option(1, 5)))), Verdict::used);
    EXPECT_EQ(host_.take_changes(), peer6_is_at(5));
    EXPECT_EQ(neighbor("2001:db8::2").state, NeighborState::stale);
}

}  // namespace
}  // namespace bulkhead::test
