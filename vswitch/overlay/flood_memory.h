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
/// round a ring. A bucket of places, a cache line, holds what falls together by chance. What is forgotten too early,
/// because more than that falls together, goes round once more at this node; every node has a secret of its own (see
/// fingerprint()), so that the others will not forget it as well.
///
/// Threads: any. One word a place; of two copies that come in at once by two attachments one is the first.
class FloodMemory {
  public:
    static constexpr std::uint32_t kWindowMs = 1000;
    static constexpr std::size_t kPlacesTogether = 8;

    /// Whether the frame came in by another attachment within the window; else it is remembered by this one. `now_ms`
    /// is of a monotonic clock.
    [[nodiscard]] bool is_duplicate(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        const std::uint64_t mine = word(fingerprint, by, now_ms);
        while (true) {
            Sight sight = look(bucket_of(fingerprint), mine);
            if (sight.is_same && static_cast<AttachmentIndex>(sight.seen) != by) return true;
            if (sight.place->compare_exchange_strong(sight.seen, mine, std::memory_order_relaxed)) return false;
        }
    }

    /// Of a frame that can't have come round: it is remembered whatever was seen before.
    void remember(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        const std::uint64_t mine = word(fingerprint, by, now_ms);
        look(bucket_of(fingerprint), mine).place->store(mine, std::memory_order_relaxed);
    }

    /// What is_duplicate() would say; nothing is remembered.
    [[nodiscard]] bool was_seen_elsewhere(std::uint64_t fingerprint, AttachmentIndex by,
                                          std::uint64_t now_ms) const noexcept {
        const Sight sight = look(bucket_of(fingerprint), word(fingerprint, by, now_ms));
        return sight.is_same && static_cast<AttachmentIndex>(sight.seen) != by;
    }

  private:
    static constexpr std::size_t kBuckets = 2048;
    // Tag 28, milliseconds 20, attachment 16.
    static constexpr std::uint64_t kTag = 0xffff'fff0'0000'0000ULL;
    static constexpr std::uint64_t kTime = 0xf'ffff;

    struct alignas(64) Bucket {
        std::array<std::atomic<std::uint64_t>, kPlacesTogether> places;
    };
    /// Where the frame is remembered or, if it is not, what is to be forgotten for it.
    struct Sight {
        std::atomic<std::uint64_t>* place = nullptr;
        std::uint64_t seen = 0;
        bool is_same = false;
    };

    static std::uint64_t word(std::uint64_t fingerprint, AttachmentIndex by, std::uint64_t now_ms) noexcept {
        constexpr std::uint64_t kInUse = 1ULL << 36;
        return (fingerprint & kTag) | kInUse | (now_ms & kTime) << 16 | by;
    }
    /// Another worker may have read the clock later, and written before us: that is no age.
    static std::uint64_t age(std::uint64_t seen, std::uint64_t now) noexcept {
        const std::uint64_t ahead = ((seen >> 16) - (now >> 16)) & kTime;
        return ahead < kWindowMs ? 0 : ((now >> 16) - (seen >> 16)) & kTime;
    }

    [[nodiscard]] Bucket& bucket_of(std::uint64_t fingerprint) const noexcept {
        return memory_[fingerprint % kBuckets];
    }

    static Sight look(Bucket& bucket, std::uint64_t mine) noexcept {
        Sight oldest;
        std::uint64_t oldest_age = 0;
        for (std::atomic<std::uint64_t>& place : bucket.places) {
            const std::uint64_t seen = place.load(std::memory_order_relaxed);
            const std::uint64_t its_age = seen == 0 ? kTime + 1 : age(seen, mine);
            if ((seen & kTag) == (mine & kTag) && its_age < kWindowMs) return {&place, seen, true};
            if (oldest.place != nullptr && its_age <= oldest_age) continue;
            oldest = {&place, seen, false};
            oldest_age = its_age;
        }
        return oldest;
    }

    std::unique_ptr<Bucket[]> memory_ = std::make_unique<Bucket[]>(kBuckets);
};

}  // namespace bulkhead
