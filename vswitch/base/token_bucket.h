// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace bulkhead {

/// Lets `per_second` through on average, and `burst` at once after a rest.
class TokenBucket {
  public:
    TokenBucket(std::uint32_t per_second, std::uint32_t burst)
        : per_second_(per_second), full_(kToken * burst), level_(full_) {}

    [[nodiscard]] bool take(std::uint64_t now_ms) noexcept {
        const std::uint64_t elapsed = now_ms > refilled_ ? now_ms - refilled_ : 0;
        refilled_ = std::max(refilled_, now_ms);
        // A rest longer than it takes to fill must not overflow the product.
        level_ = std::min(full_, level_ + std::min(elapsed, full_) * per_second_);
        if (level_ < kToken) return false;
        level_ -= kToken;
        return true;
    }

  private:
    static constexpr std::uint64_t kToken = 1000;  ///< so that a millisecond adds `per_second`

    std::uint64_t per_second_;
    std::uint64_t full_;
    std::uint64_t level_;
    std::uint64_t refilled_ = 0;
};

}  // namespace bulkhead
