// SPDX-License-Identifier: Apache-2.0
// What the benchmark's guest makes of latencies.
#include "perf/guest/histogram.h"

#include <cstdint>
#include <limits>
#include <memory>

#include <gtest/gtest.h>

namespace bulkhead::guest {
namespace {

TEST(Histogram, OfNothing) {
    const auto histogram = std::make_unique<Histogram>();
    EXPECT_EQ(histogram->count(), 0U);
    EXPECT_EQ(histogram->quantile(0.5), 0U);
    EXPECT_EQ(histogram->max(), 0U);
}

TEST(Histogram, SmallValuesAreExact) {
    const auto histogram = std::make_unique<Histogram>();
    for (std::uint64_t value = 1; value <= 100; ++value) histogram->record(value);
    EXPECT_EQ(histogram->count(), 100U);
    EXPECT_EQ(histogram->quantile(0.5), 50U);
    EXPECT_EQ(histogram->quantile(0.99), 99U);
    EXPECT_EQ(histogram->quantile(1), 100U);
}

TEST(Histogram, LargeValuesAreWithinOneIn128AndNeverTooSmall) {
    for (std::uint64_t value = 1; value < std::uint64_t{1} << 62; value = value * 3 + 1) {
        const auto histogram = std::make_unique<Histogram>();
        histogram->record(value);
        histogram->record(std::numeric_limits<std::uint64_t>::max());
        EXPECT_GE(histogram->quantile(0.5), value);
        EXPECT_LE(histogram->quantile(0.5), value + value / 128);
    }
}

TEST(Histogram, NoQuantileExceedsTheLargest) {
    const auto histogram = std::make_unique<Histogram>();
    histogram->record(1'000'001);
    EXPECT_EQ(histogram->quantile(0.999), 1'000'001U);
    EXPECT_EQ(histogram->max(), 1'000'001U);
}

TEST(Histogram, ATailIsFoundInTheTail) {
    const auto histogram = std::make_unique<Histogram>();
    for (int count = 0; count < 9'980; ++count) histogram->record(10);
    for (int count = 0; count < 20; ++count) histogram->record(100'000);
    EXPECT_EQ(histogram->quantile(0.99), 10U);
    EXPECT_GE(histogram->quantile(0.999), 100'000U);
}

TEST(Histogram, IsEmptyAgainWhenCleared) {
    const auto histogram = std::make_unique<Histogram>();
    histogram->record(std::numeric_limits<std::uint64_t>::max());
    histogram->clear();
    EXPECT_EQ(histogram->count(), 0U);
    EXPECT_EQ(histogram->quantile(1), 0U);
}

}  // namespace
}  // namespace bulkhead::guest
