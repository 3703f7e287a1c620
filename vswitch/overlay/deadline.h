// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

namespace bulkhead {

/// Times of the underlay are milliseconds of a monotonic clock that its caller reads.
inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// Where the RFCs ask for a random delay, so that nodes and neighbours do not all speak at once: one that differs from
/// key to key and is the same in every test. Less than `bound`.
[[nodiscard]] constexpr std::uint64_t spread(std::uint64_t key, std::uint64_t bound) noexcept {
    constexpr std::uint64_t kGoldenRatio = 0x9e37'79b9'7f4a'7c15;
    return (key * kGoldenRatio >> 32) % bound;
}

}  // namespace bulkhead
