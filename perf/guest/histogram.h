// SPDX-License-Identifier: Apache-2.0
// Counts of values by size, every value kept to within 1 in 128, as an HDR histogram does: log-linear.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bulkhead::guest {

class Histogram {
  public:
    void record(std::uint64_t value) {
        ++counts_[slot_of(value)];
        ++count_;
        max_ = std::max(max_, value);
    }

    /// The value that `share` (0 to 1) of all values do not exceed, or a little more; 0 if there are none.
    [[nodiscard]] std::uint64_t quantile(double share) const {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
        std::uint64_t seen = 0;
        for (std::size_t slot = 0; slot < kSlots; ++slot) {
            seen += counts_[slot];
            if (seen > 0 && seen >= wanted) return std::min(last_of(slot), max_);
        }
        return max_;
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t max() const { return max_; }
    void clear() { *this = {}; }

  private:
    static constexpr unsigned kBits = 7;  ///< of a value that its slot keeps, below its highest one
    static constexpr std::size_t kSlots = (64 - kBits + 1) << kBits;

    // Values below 2^kBits have a slot each; from there each power of two has 2^kBits slots.
    static std::size_t slot_of(std::uint64_t value) {
        if (value >> kBits == 0) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
        return (static_cast<std::size_t>(shift) << kBits) + (value >> shift);
    }
    static std::uint64_t last_of(std::size_t slot) {
        if (slot >> kBits <= 1) return slot;
        const std::size_t shift = (slot >> kBits) - 1;
        return (((slot - (shift << kBits)) + 1) << shift) - 1;
    }

    std::array<std::uint64_t, kSlots> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace bulkhead::guest
