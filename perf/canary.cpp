// SPDX-License-Identifier: Apache-2.0
// The machine's mood, as JSON: the TSC's frequency, and what one dependent memory access and one dependent
// multiplication cost at this moment. On a shared host both change by the minute; figures measured under different ones
// can't be compared.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <random>
#include <thread>
#include <vector>
#include <x86intrin.h>

namespace {

/// Larger than an L2 cache, smaller than the L3: what a switch's tables live in.
constexpr std::size_t kChaseBytes = 4 << 20;
constexpr std::size_t kLine = 64;

struct alignas(kLine) Line {
    std::uint32_t next = 0;
};

double tsc_hz() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const std::uint64_t first = __rdtsc();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const std::uint64_t last = __rdtsc();
    return static_cast<double>(last - first) / std::chrono::duration<double>(Clock::now() - begin).count();
}

/// One cycle through all lines in random order: no prefetcher knows where it leads.
std::vector<Line> shuffled_ring() {
    std::vector<Line> lines(kChaseBytes / kLine);
    std::vector<std::uint32_t> order(lines.size());
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (std::size_t at = 0; at < order.size(); ++at) lines[order[at]].next = order[(at + 1) % order.size()];
    return lines;
}

/// A short walk from where the last one ended: short enough that most are not interrupted by another program.
double memory_cycles(const std::vector<Line>& lines, std::uint32_t& at) {
    constexpr int kSteps = 1024;
    const std::uint64_t first = __rdtsc();
    for (int step = 0; step < kSteps; ++step) at = lines[at].next;
    asm volatile("" : : "r"(at));
    return static_cast<double>(__rdtsc() - first) / kSteps;
}

double multiply_cycles() {
    constexpr int kSteps = 4096;
    std::uint64_t value = 3;
    const std::uint64_t first = __rdtsc();
    for (int step = 0; step < kSteps; ++step) {
        value *= 0x9e37'79b9'7f4a'7c15ULL;
        asm volatile("" : "+r"(value));
    }
    return static_cast<double>(__rdtsc() - first) / kSteps;
}

template <typename Measure>
double median(Measure measure) {
    std::vector<double> values(255);
    std::ranges::generate(values, measure);
    std::ranges::nth_element(values, values.begin() + 127);
    return values[127];
}

}  // namespace

int main() {
    const double hz = tsc_hz();
    const std::vector<Line> lines = shuffled_ring();
    std::uint32_t at = 0;
    const double memory = median([&] { return memory_cycles(lines, at); });
    const double multiply = median(multiply_cycles);
    std::printf(R"({"tsc_hz": %.0f, "memory_cycles": %.1f, "multiply_cycles": %.2f})"
                "\n",
                hz, memory, multiply);
}
