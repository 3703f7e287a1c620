// SPDX-License-Identifier: Apache-2.0
// TSC cycles per packet, as a counter of a benchmark. Only what is between start() and stop() counts, so that frames
// can be put back in order between two batches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

namespace bulkhead::perf {

class Cycles {
  public:
    explicit Cycles(benchmark::State& state) : state_(state) { batches_.reserve(1U << 16); }

    void start() noexcept { begin_ = rte_rdtsc_precise(); }
    void stop() noexcept {
        const std::uint64_t spent = rte_rdtsc_precise() - begin_;
        state_.SetIterationTime(static_cast<double>(spent) / static_cast<double>(rte_get_tsc_hz()));
        if (batches_.size() < batches_.capacity()) batches_.push_back(spent);
    }

    /// The median is that of the first 65,536 batches: an interrupt in one of them does not move it.
    void report(std::uint64_t packets_per_batch) {
        if (batches_.empty()) return;
        const auto middle = batches_.begin() + static_cast<std::ptrdiff_t>(batches_.size() / 2);
        std::nth_element(batches_.begin(), middle, batches_.end());
        const auto packets = static_cast<double>(packets_per_batch);
        state_.counters["cycles/packet"] = static_cast<double>(*middle) / packets;
        state_.counters["least"] = static_cast<double>(*std::min_element(batches_.begin(), batches_.end())) / packets;
        state_.SetItemsProcessed(static_cast<std::int64_t>(packets_per_batch) * state_.iterations());
    }

  private:
    benchmark::State& state_;
    std::uint64_t begin_ = 0;
    std::vector<std::uint64_t> batches_;
};

}  // namespace bulkhead::perf
