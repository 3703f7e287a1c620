// SPDX-License-Identifier: Apache-2.0
#include "vswitch/limits/rate_limit.h"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

constexpr std::uint64_t kSecond = 2'600'000'000;
constexpr std::uint64_t kLongAfterStart = 100'000 * kSecond;

std::uint16_t take(RateLimit& limit, std::uint16_t count, std::uint32_t size, std::uint64_t now) {
    return limit.take(count, [size](std::uint16_t) { return size; }, now);
}

TEST(RateLimit, ABurstPassesAndThenTheRate) {
    RateLimit limit(1'000'000, 64'000, kSecond);
    std::uint64_t passed = 0;
    for (int burst = 0; burst < 10; ++burst) passed += take(limit, 64, 1000, kLongAfterStart);
    EXPECT_EQ(passed, 64U);
    EXPECT_FALSE(limit.has_tokens(kLongAfterStart));
    passed = 0;
    for (std::uint64_t ms = 1; ms <= 1000; ++ms) passed += take(limit, 64, 1000, kLongAfterStart + ms * kSecond / 1000);
    EXPECT_NEAR(static_cast<double>(passed), 1000, 1);
}

TEST(RateLimit, ARestFillsNoMoreThanTheBurst) {
    RateLimit limit(1'000'000, 10'000, kSecond);
    EXPECT_EQ(take(limit, 64, 1000, kLongAfterStart), 10U);
    EXPECT_EQ(take(limit, 64, 1000, kLongAfterStart + 3600 * kSecond), 10U);
    EXPECT_EQ(take(limit, 64, 1000, kLongAfterStart + 3600 * kSecond), 0U);
}

TEST(RateLimit, AFrameLargerThanTheBurstPassesAndIsPaid) {
    RateLimit limit = RateLimit(1'000'000, 1024, kSecond);
    EXPECT_EQ(take(limit, 2, 65'536, kLongAfterStart), 1U);
    EXPECT_EQ(take(limit, 1, 64, kLongAfterStart + kSecond / 20), 0U) << "50 of 64.5 ms are over";
    EXPECT_EQ(take(limit, 1, 64, kLongAfterStart + kSecond / 15), 1U);
}

TEST(RateLimit, ExactFromOneMegabitToATerabit) {
    for (const double mbps : {1.0, 10.0, 10'000.0, 400'000.0, 1'000'000.0}) {
        RateLimit limit(mbps * 125'000, 1024, kSecond);
        (void)take(limit, 64, 1000, kLongAfterStart);
        const std::uint64_t step =
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(kSecond / (mbps * 125)));  // a frame's
        const std::uint64_t frames = 10'000;
        std::uint64_t passed = 0;
        for (std::uint64_t at = 1; at <= frames; ++at) passed += take(limit, 64, 1000, kLongAfterStart + at * step);
        const double expected = static_cast<double>(frames * step) / kSecond * mbps * 125;
        EXPECT_NEAR(static_cast<double>(passed), expected, 0.005 * expected + 2) << mbps;
    }
}

TEST(RateLimit, ZeroLetsNothingPass) {
    RateLimit limit(0, 0, kSecond);
    EXPECT_FALSE(limit.has_tokens(kLongAfterStart));
    EXPECT_EQ(take(limit, 64, 1, kLongAfterStart), 0U);
}

TEST(RateLimit, WorkersTogetherHaveOneRate) {
    constexpr std::uint64_t kFrames = 4'000'000;
    RateLimit limit(1'000'000, 10.0 * kFrames, kSecond);
    std::atomic<std::uint64_t> passed{0};
    std::vector<std::thread> workers;
    std::latch start(2);
    for (int worker = 0; worker < 2; ++worker)
        workers.emplace_back([&] {
            start.arrive_and_wait();
            std::uint64_t mine = 0;
            // Twice as many as there are tokens, so that it ends if none ever run out.
            for (std::uint64_t burst = 0; burst < kFrames; ++burst) mine += take(limit, 1, 10, kLongAfterStart);
            passed += mine;
        });
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(passed, kFrames);
}

}  // namespace
}  // namespace bulkhead::test
