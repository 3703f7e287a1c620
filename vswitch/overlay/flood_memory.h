// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "vswitch/base/ids.h"

namespace bulkhead {

/// By which attachment a flooded frame came in first, of each of the last second: the same frame by another one came
/// round a ring. What is forgotten too early, because two frames want one place, goes round once more at this node;
/// every node has a secret of its own (see fingerprint()), so that the others will not forget it as well.
///
/// Threads: any. One word a place; of two copies that come in at once by two attachments one is the first.
class FloodMemory {
  public:
    static constexpr std::uint32_t kWindowMs = 1000;

    /// Whether the frame came in by another attachment within the window; else it is remembered by this one. `now_ms`
    /// is of a monotonic clock.
    [[nodiscard]] bool is_duplicate(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        std::atomic<std::uint64_t>& place = places_[fingerprint % kPlaces];
        const std::uint64_t mine = word(fingerprint, by, now_ms);
        std::uint64_t seen = place.load(std::memory_order_relaxed);
        do {
            const bool is_same = (seen & kTag) == (mine & kTag);
            const bool is_recent = age(seen, mine) < kWindowMs;
            if (is_same && is_recent && static_cast<AttachmentIndex>(seen) != by) return true;
        } while (!place.compare_exchange_weak(seen, mine, std::memory_order_relaxed));
        return false;
    }

    /// Of a frame that can't have come round: it is remembered whatever was seen before.
    void remember(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        places_[fingerprint % kPlaces].store(word(fingerprint, by, now_ms), std::memory_order_relaxed);
    }

  private:
    static constexpr std::size_t kPlaces = 16'384;
    // Tag 28, milliseconds 20, attachment 16.
    static constexpr std::uint64_t kTag = 0xffff'fff0'0000'0000ULL;
    static constexpr std::uint64_t kTime = 0xf'ffff;

    static std::uint64_t word(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        constexpr std::uint64_t kInUse = 1ULL << 36;
        return (fingerprint & kTag) | kInUse | (now_ms & kTime) << 16 | by;
    }
    static std::uint64_t age(std::uint64_t seen, std::uint64_t now) noexcept {
        return ((now >> 16) - (seen >> 16)) & kTime;
    }

    using Places = std::array<std::atomic<std::uint64_t>, kPlaces>;
    std::unique_ptr<Places> memory_ = std::make_unique<Places>();
    Places& places_ = *memory_;
};

}  // namespace bulkhead
