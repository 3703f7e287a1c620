// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;
using Sent = std::map<std::string, std::vector<Bytes>>;

MacAddress station(unsigned number) {
    return MacAddress::from_octets(mac_bytes(number).data());
}

struct Learning : testing::Test {
    Learning() {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        for (const char* name : {"b1", "b2", "b3"}) bench.access(name, "blue");
        bench.access("r1", "red");
        bench.apply();
    }

    [[nodiscard]] std::string where(unsigned number, const std::string& segment = "blue") {
        for (const MacEntry& entry : bench.vswitch().macs({.segments = {{segment}}}))
            if (entry.mac == station(number)) return entry.port;
        return {};
    }

    /// One second later; aging looks at a part of the table a time, so it is given all of its parts.
    void at_second(std::uint32_t second) {
        bench.now_s = second;
        for (int part = 0; part < 4; ++part) bench.vswitch().housekeeping();
    }

    [[nodiscard]] std::vector<MacEvent::Kind> kinds() {
        std::vector<MacEvent::Kind> all;
        for (const MacEvent& event : bench.vswitch().take_events().events) all.push_back(event.kind);
        return all;
    }

    Bench bench;
};

MacEntry kept(unsigned number, std::string port, std::uint32_t age_s = 0, std::string segment = "blue") {
    MacEntry entry{.segment = std::move(segment), .mac = station(number), .port = std::move(port)};
    entry.age_s = age_s;
    return entry;
}

TEST_F(Learning, WhatWasLearnedBeforeARestartIsPutBackWhereItStillStands) {
    at_second(1000);
    bench.pass("b2", frame(kBroadcast, 2));
    EXPECT_EQ(bench.vswitch().restore_macs({kept(1, "b1", 7), kept(2, "b1"), kept(3, "gone"), kept(4, "b1", 301),
                                            kept(5, "r1", 0, "red"), kept(6, "r1"), kept(7, "b1", 0, "gone")}),
              2U);
    EXPECT_EQ(where(1), "b1");
    EXPECT_EQ(where(2), "b2") << "what is heard now is newer";
    EXPECT_EQ(where(5, "red"), "r1");
    for (const unsigned number : {3U, 4U, 6U, 7U}) EXPECT_EQ(where(number), "") << number;
    EXPECT_EQ(bench.vswitch().macs({.mac = station(1)})[0].age_s, 7U);
    at_second(1000 + 300 - 7 + 1);
    EXPECT_EQ(where(1), "") << "it goes when it would have gone";
}

TEST_F(Learning, WhatIsPutBackKeepsToTheLimit) {
    std::vector<MacEntry> entries;
    for (unsigned number = 1; number < 20000; ++number) entries.push_back(kept(number, "b1"));
    EXPECT_EQ(bench.vswitch().restore_macs(entries), 4096U);
    EXPECT_EQ(bench.vswitch().mac_count("blue"), 4096U);
}

TEST_F(Learning, AnAddressIsKnownAfterItsFirstFrame) {
    bench.pass("b1", frame(kBroadcast, 1));
    EXPECT_EQ(where(1), "b1");
    const auto events = bench.vswitch().take_events().events;
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, MacEvent::Kind::learned);
    EXPECT_EQ(events[0].segment, "blue");
    EXPECT_EQ(events[0].port, "b1");
    EXPECT_EQ(events[0].mac, station(1));
    bench.pass("b1", frame(kBroadcast, 1));
    EXPECT_TRUE(kinds().empty()) << "what is known is no event";
}

TEST_F(Learning, AMoveTakesEffectWithTheFirstFrame) {
    bench.pass("b1", frame(kBroadcast, 1));
    (void)kinds();
    bench.pass("b2", frame(kBroadcast, 1));
    EXPECT_EQ(bench.pass("b3", frame(1, 3)), (Sent{{"b2", {frame(1, 3)}}}));
    const auto events = bench.vswitch().take_events().events;
    ASSERT_GE(events.size(), 1U);
    EXPECT_EQ(events[0].kind, MacEvent::Kind::moved);
    EXPECT_EQ(events[0].port, "b2");
    EXPECT_EQ(events[0].from_port, "b1");
}

TEST_F(Learning, SilentAddressesAgeAndThoseThatSpeakStay) {
    bench.model.segments.at("blue").mac_age_s = 10;
    bench.apply();
    bench.pass("b1", frame(kBroadcast, 1));
    bench.pass("b2", frame(kBroadcast, 2));
    at_second(1008);
    bench.pass("b2", frame(1, 2));
    at_second(1010);
    EXPECT_EQ(where(1), "b1");
    at_second(1011);
    EXPECT_EQ(where(1), "");
    EXPECT_EQ(where(2), "b2");
    EXPECT_EQ(bench.pass("b3", frame(1, 3)).size(), 2U) << "unknown again, so flooded";
}

TEST_F(Learning, TheLimitIsTheSegmentsOwn) {
    bench.model.segments.at("blue").mac_limit = 2;
    bench.apply();
    for (unsigned number : {1U, 2U, 3U, 4U}) bench.pass("b1", frame(kBroadcast, number));
    bench.pass("r1", frame(kBroadcast, 3));
    EXPECT_EQ(bench.vswitch().macs({.segments = {{"blue"}}}).size(), 2U);
    EXPECT_EQ(where(3), "");
    EXPECT_EQ(where(3, "red"), "r1");
    const auto seen = kinds();
    EXPECT_EQ(std::ranges::count(seen, MacEvent::Kind::limit), 1) << "one event a second, not one a frame";
}

TEST_F(Learning, AnAttachmentsOwnAddressCanNotBeTaken) {
    bench.model.ports.at("b1").attachments[0].macs = {station(1)};
    bench.apply();
    EXPECT_EQ(where(1), "b1") << "known before it speaks";
    EXPECT_EQ(bench.pass("b2", frame(kBroadcast, 1)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::source_mac_owned), 1U);
    EXPECT_EQ(bench.pass("b1", frame(kBroadcast, 1)).size(), 2U);
    at_second(100'000);
    EXPECT_EQ(where(1), "b1") << "static entries do not age";
    EXPECT_EQ(bench.vswitch().flush_macs({}), 0U);
}

TEST_F(Learning, StaticEntriesComeAndGoWithTheModel) {
    bench.pass("b2", frame(kBroadcast, 1));
    bench.model.static_macs[{"blue", station(1)}] = {"", "blue", station(1), "b3"};
    bench.apply();
    EXPECT_EQ(where(1), "b3") << "over what was learned";
    EXPECT_EQ(bench.vswitch().mac_count("blue"), 1U);
    bench.model.static_macs.clear();
    bench.apply();
    EXPECT_EQ(where(1), "");
    bench.pass("b2", frame(kBroadcast, 1));
    EXPECT_EQ(where(1), "b2");
}

TEST_F(Learning, RemovalOfAPortForgetsItsAddressesOnly) {
    bench.pass("b1", frame(kBroadcast, 1));
    bench.pass("b2", frame(kBroadcast, 2));
    bench.remove("b1");
    EXPECT_EQ(where(1), "");
    EXPECT_EQ(where(2), "b2");
    // The freed index goes to a port of another segment: nothing of the old one may be found there.
    bench.access("new", "red");
    bench.apply();
    EXPECT_EQ(bench.pass("b2", frame(1, 2)), (Sent{{"b3", {frame(1, 2)}}}));
    EXPECT_TRUE(bench.vswitch().macs({.segments = {{"red"}}}).empty());
}

TEST_F(Learning, AReattachedPortBringsNoAddressAlong) {
    bench.pass("b1", frame(kBroadcast, 1));
    bench.model.ports.at("b1").attachments[0].segment = "red";
    bench.apply();
    EXPECT_EQ(where(1), "");
    EXPECT_EQ(where(1, "red"), "");
    EXPECT_EQ(bench.pass("b2", frame(1, 2)), (Sent{{"b3", {frame(1, 2)}}}));
}

TEST_F(Learning, FlushMatchesSegmentPortAndAddress) {
    for (unsigned number : {1U, 11U}) bench.pass("b1", frame(kBroadcast, number));
    bench.pass("b2", frame(kBroadcast, 2));
    bench.pass("r1", frame(kBroadcast, 1));
    EXPECT_EQ(bench.vswitch().flush_macs({.segments = {{"blue"}}, .mac = station(1)}), 1U);
    EXPECT_EQ(bench.vswitch().flush_macs({.segments = {{"blue"}}, .port = "b1"}), 1U);
    EXPECT_EQ(bench.vswitch().flush_macs({.segments = {{"red"}}}), 1U);
    EXPECT_EQ(where(2), "b2");
    EXPECT_EQ(bench.vswitch().mac_count(), 1U);
    for (const std::string segment : {"blue", "red", "absent"})
        EXPECT_EQ(bench.vswitch().mac_count(segment), bench.vswitch().macs({.segments = {{segment}}}).size())
            << segment;
}

TEST_F(Learning, ARangeIsAStretchOfTheSortedList) {
    // A segment whose name sorts between "blue" and what a careless separator would make of it.
    bench.segment("blue-2", 300);
    bench.access("x1", "blue-2");
    bench.apply();
    for (const char* port : {"b1", "r1", "x1"})
        for (unsigned number = 1; number <= 20; ++number) bench.pass(port, frame(kBroadcast, number));
    const auto names = [](const std::vector<MacEntry>& entries) {
        std::vector<std::string> all;
        for (const MacEntry& entry : entries) all.push_back(entry.segment + " " + entry.mac.to_string());
        return all;
    };
    const std::vector<std::string> all = names(bench.vswitch().macs({}));
    ASSERT_EQ(all.size(), 60U);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    for (const std::size_t limit : {1UL, 7UL, 60UL, 100UL}) {
        std::vector<std::string> walked;
        MacRange range{.after = {}, .limit = limit};
        for (auto part = bench.vswitch().macs({}, range); !part.empty(); part = bench.vswitch().macs({}, range)) {
            ASSERT_LE(part.size(), limit);
            range.after = {part.back().segment, part.back().mac};
            for (std::string& name : names(part)) walked.push_back(std::move(name));
        }
        EXPECT_EQ(walked, all) << limit;
    }
    EXPECT_EQ(bench.vswitch().macs({.port = "r1"}, {.after = {{"blue-2", station(5)}}, .limit = 3})[0].mac, station(1));
}

TEST_F(Learning, EventsThatNobodyTakesAreLostAndCounted) {
    bench.model.segments.at("blue").mac_limit = 100'000;
    bench.apply();
    // The bench's table has room for some thousands; moving 256 addresses to and fro makes the events.
    for (int round = 0; round < 40; ++round) {
        for (unsigned number = 0; number < 0xff; ++number)
            bench[round % 2 == 0 ? "b1" : "b2"].inject(frame(kBroadcast, 0x100 + number));
        bench.run();
        for (const char* port : {"b1", "b2", "b3"}) (void)bench[port].take();
    }
    const MacEvents events = bench.vswitch().take_events();
    EXPECT_EQ(events.events.size() + events.lost, 40U * 0xff);
    EXPECT_GT(events.lost, 0U);
    EXPECT_EQ(bench.vswitch().take_events().lost, 0U);
}

}  // namespace
}  // namespace bulkhead::test
