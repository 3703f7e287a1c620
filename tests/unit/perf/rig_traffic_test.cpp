// SPDX-License-Identifier: Apache-2.0
// What the in-memory rig sends: uniformly random, and no short cycle.
#include <cstdint>
#include <functional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "perf/rig/flow_traffic.h"
#include "perf/rig/traffic.h"

namespace bulkhead::rig {
namespace {

constexpr std::uint32_t kStationMask = (1U << kStationBits) - 1;

std::uint32_t station_of(std::uint64_t mac) {
    return static_cast<std::uint32_t>(mac) & kStationMask;
}
std::uint32_t segment_of(std::uint64_t mac) {
    return static_cast<std::uint32_t>(mac) >> kStationBits;
}
unsigned side_of(std::uint64_t mac) {
    return static_cast<unsigned>(mac >> 32) & 0xff;
}

/// Pearson's chi-squared of `draws` numbers that `draw` gives, all less than `bound`, in 64 classes of one size.
double chi_squared(std::uint32_t bound, const std::function<std::uint32_t()>& draw) {
    constexpr unsigned kClasses = 64, kDraws = 64'000;
    std::vector<double> seen(kClasses);
    for (unsigned at = 0; at < kDraws; ++at) ++seen[static_cast<std::uint64_t>(draw()) * kClasses / bound];
    double sum = 0;
    constexpr double kExpected = static_cast<double>(kDraws) / kClasses;
    for (const double count : seen) sum += (count - kExpected) * (count - kExpected) / kExpected;
    return sum;
}

/// 63 degrees of freedom: more is seen by chance once in a million times, and the sequence is always the same.
constexpr double kMost = 130;

TEST(RigTraffic, SourcesAndDestinationsAreUniform) {
    constexpr std::uint32_t kStations = 500'000;
    StationTraffic<false> traffic(0, 1, {.stations = kStations});
    EXPECT_LT(chi_squared(kStations, [&] { return station_of(traffic.next().source); }), kMost);
    EXPECT_LT(chi_squared(kStations, [&] { return station_of(traffic.next().destination); }), kMost);
}

TEST(RigTraffic, SegmentsAndStationsAreUniform) {
    StationTraffic<true> traffic(1, 0, {.segments = 1024, .stations = 64});
    EXPECT_LT(chi_squared(1024, [&] { return segment_of(traffic.next().source); }), kMost);
    EXPECT_LT(chi_squared(64, [&] { return station_of(traffic.next().source); }), kMost);
    EXPECT_LT(chi_squared(64, [&] { return station_of(traffic.next().destination); }), kMost);
}

TEST(RigTraffic, SourceSaysNothingOfDestination) {
    StationTraffic<false> traffic(0, 1, {.stations = 8});
    EXPECT_LT(chi_squared(64,
                          [&] {
                              const Header header = traffic.next();
                              return station_of(header.source) * 8 + station_of(header.destination);
                          }),
              kMost);
}

TEST(RigTraffic, PairsDoNotComeAgain) {
    StationTraffic<false> traffic(0, 1, {.stations = 500'000});
    constexpr std::size_t kFrames = 200'000;
    std::set<std::pair<std::uint64_t, std::uint64_t>> pairs;
    for (std::size_t at = 0; at < kFrames; ++at) {
        const Header header = traffic.next();
        pairs.emplace(header.source, header.destination);
    }
    EXPECT_GE(pairs.size(), kFrames - 5);  // of 250,000 million pairs, by chance hardly one is met twice
}

TEST(RigTraffic, TalksFromSideToSideWithinASegment) {
    StationTraffic<true> traffic(3, 7, {.segments = 1000, .stations = 32});
    for (int at = 0; at < 10'000; ++at) {
        const Header header = traffic.next();
        ASSERT_EQ(side_of(header.source), 3U);
        ASSERT_EQ(side_of(header.destination), 7U);
        ASSERT_EQ(segment_of(header.source), segment_of(header.destination));
        ASSERT_EQ(header.vlan, segment_of(header.source) + 1);
        ASSERT_LT(station_of(header.destination), 32U);
    }
}

TEST(RigTraffic, EveryStationIsIntroducedOnce) {
    const StationTraffic<true> traffic(0, 1, {.segments = 1000, .stations = 32});
    ASSERT_EQ(traffic.stations(), 32'000U);
    std::set<std::uint64_t> introduced;
    for (std::uint32_t number = 0; number < traffic.stations(); ++number)
        introduced.insert(traffic.introduction(number).source);
    EXPECT_EQ(introduced.size(), 32'000U);
    StationTraffic<true> talk = traffic;
    for (int at = 0; at < 10'000; ++at) ASSERT_TRUE(introduced.contains(talk.next().source));
}

TEST(RigTraffic, BroadcastGoesToAll) {
    BroadcastTraffic traffic(0, 64);
    std::set<std::uint64_t> sources;
    for (int at = 0; at < 10'000; ++at) {
        const Header header = traffic.next();
        ASSERT_EQ(header.destination, kBroadcast);
        sources.insert(header.source);
    }
    EXPECT_EQ(sources.size(), 64U);
}

using Name = std::tuple<std::uint32_t, std::uint32_t, std::uint16_t, std::uint16_t>;

Name name_of(const FlowHeader& header) {
    return {header.source, header.destination, header.source_port, header.port};
}

TEST(RigTraffic, OpeningsAreNeverTheSameAgain) {
    constexpr unsigned kMany = 1'000'000;
    OpeningTraffic traffic(0, 1, 1000);
    std::set<Name> seen;
    for (unsigned at = 0; at < kMany; ++at) seen.insert(name_of(traffic.introduction(at % 1000)));
    EXPECT_EQ(seen.size(), kMany);
    // Where the source ports come round, too.
    for (const std::uint32_t first : {0U, 64'512U * 8'000U, 2 * 64'512U * 8'000U, 7 * 64'512U * 8'000U})
        for (std::uint32_t at = 0; at < 1000; ++at) seen.insert(name_of(opening(0, 1, first + at)));
    EXPECT_EQ(seen.size(), kMany + 3 * 1000);
}

TEST(RigTraffic, BothSidesTalkInTheConnectionsThatEitherHasOpened) {
    constexpr std::uint32_t kConnections = 500;
    ConnectionTraffic here(0, 1, kConnections), there(1, 0, kConnections);
    std::set<Name> open;
    for (std::uint32_t at = 0; at < kConnections; ++at)
        for (ConnectionTraffic* side : {&here, &there}) open.insert(name_of(side->introduction(at)));
    ASSERT_EQ(open.size(), 2 * kConnections);
    std::set<Name> heard;
    for (unsigned at = 0; at < 20'000; ++at) {
        const FlowHeader header = here.next();
        EXPECT_EQ(side_of(header.ethernet.source), 0U);
        const Name own = name_of(header), answered = name_of(answer_to(header));
        EXPECT_TRUE(open.contains(own) != open.contains(answered));
        heard.insert(open.contains(own) ? own : answered);
    }
    EXPECT_EQ(heard, open);
}

}  // namespace
}  // namespace bulkhead::rig
