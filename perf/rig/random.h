// SPDX-License-Identifier: Apache-2.0
// Random numbers that cost a few cycles: splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014). Its period is 2^64, and one number does not wait for the one before it.
#pragma once

#include <cstdint>

namespace bulkhead::rig {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t mixed = state_ += 0x9e37'79b9'7f4a'7c15ULL;
        mixed = (mixed ^ mixed >> 30) * 0xbf58'476d'1ce4'e5b9ULL;
        mixed = (mixed ^ mixed >> 27) * 0x94d0'49bb'1331'11ebULL;
        return mixed ^ mixed >> 31;
    }

  private:
    std::uint64_t state_;
};

/// Of 32 random bits, a number less than `bound`: without a division, even to within bound / 2^32.
[[nodiscard]] constexpr std::uint32_t below(std::uint64_t bits, std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((bits & 0xffff'ffffULL) * bound >> 32);
}

}  // namespace bulkhead::rig
