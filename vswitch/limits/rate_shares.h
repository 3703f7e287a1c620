// SPDX-License-Identifier: Apache-2.0
// Thousands of token buckets of one rate, a word each: the time up to which it is paid, as in RateLimit, but with what
// all of them have in common kept once.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bulkhead {

class RateShares {
  public:
    /// Each of `count` lets so many through a second, and `burst` at once after a rest. `cycles_per_second` are of the
    /// clock that take() is told.
    RateShares(std::size_t count, std::uint32_t per_second, std::uint32_t burst, std::uint64_t cycles_per_second)
        : cost_(cycles_per_second / per_second), depth_(cost_ * burst), paid_until_(count) {}

    [[nodiscard]] bool take(std::size_t of, std::uint64_t now) noexcept {
        const std::uint64_t start = std::max(paid_until_[of], now > depth_ ? now - depth_ : 0);
        if (start + cost_ > now) return false;
        paid_until_[of] = start + cost_;
        return true;
    }

  private:
    std::uint64_t cost_, depth_;  ///< cycles
    std::vector<std::uint64_t> paid_until_;
};

}  // namespace bulkhead
