// SPDX-License-Identifier: Apache-2.0
// A token bucket that several workers take from: one port's frames come in by all its queues and leave by all workers.
// librte_meter's buckets are one thread's; a bucket a worker would not know who has how much of the rate to use. So the
// whole state is one word, the time up to which is paid (the virtual scheduling of GCRA, ITU-T I.371, Annex A), and a
// burst costs one compare-and-swap, whatever its size.
//
// A frame passes if there is any token left, and may overdraw: else a burst smaller than a frame would never let it
// pass, and large frames would suffer for small ones. What is overdrawn is paid before the next one passes.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace bulkhead {

class alignas(64) RateLimit {
  public:
    /// So many units (bytes, frames) a second, and `burst` of them at once after a rest. `cycles_per_second` are of the
    /// clock that take() is told. With a rate of 0 nothing passes.
    RateLimit(double per_second, double burst, double cycles_per_second)
        : cost_(per_second > 0 ? static_cast<std::uint64_t>(cycles_per_second * kTicks * kOne / per_second) : 0),
          depth_(static_cast<std::uint64_t>(static_cast<double>(cost_) / kOne * burst)) {}

    /// How many of `count` items pass, the first ones; `units(at)` is how large one is.
    template <typename Units>
    [[nodiscard]] std::uint16_t take(std::uint16_t count, Units units, std::uint64_t now_cycles) noexcept {
        const std::uint64_t now = now_cycles * kTicks;
        std::uint64_t paid = paid_until_.load(std::memory_order_relaxed);
        for (;;) {
            const std::uint64_t start = since(paid, now);
            std::uint64_t taken = 0;
            std::uint16_t passed = 0;
            for (; passed < count && start + taken * cost_ / kOne < now; ++passed) taken += units(passed);
            if (passed == 0) return 0;
            if (paid_until_.compare_exchange_weak(paid, start + taken * cost_ / kOne, std::memory_order_relaxed))
                [[likely]]
                return passed;
        }
    }

    /// Whether one would pass.
    [[nodiscard]] bool has_tokens(std::uint64_t now_cycles) const noexcept {
        const std::uint64_t now = now_cycles * kTicks;
        return since(paid_until_.load(std::memory_order_relaxed), now) < now;
    }

  private:
    static constexpr std::uint64_t kTicks = 16;      ///< a cycle: 14 years in a word, at 2.6 GHz
    static constexpr std::uint64_t kOne = 1U << 20;  ///< of cost_, whose lower bits are a fraction

    /// A rest fills the bucket, and no more than that.
    [[nodiscard]] std::uint64_t since(std::uint64_t paid, std::uint64_t now) const noexcept {
        return std::max(paid, now > depth_ ? now - depth_ : 0);
    }

    std::uint64_t cost_;                        ///< of a unit: ticks × kOne
    std::uint64_t depth_;                       ///< ticks
    std::atomic<std::uint64_t> paid_until_{0};  ///< ticks; written and read by workers
};

}  // namespace bulkhead
