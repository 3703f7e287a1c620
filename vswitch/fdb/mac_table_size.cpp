// SPDX-License-Identifier: Apache-2.0
// How large the MAC table is, and its moves from one size to another.
#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "vswitch/fdb/mac_table.h"

namespace bulkhead {

unsigned MacTable::largest_for(std::size_t capacity) noexcept {
    return static_cast<unsigned>(std::countr_zero(std::bit_ceil(std::max<std::size_t>(capacity * 2 / kMacSlots, 2))));
}

std::size_t MacTable::memory_for(std::size_t capacity) noexcept {
    return sizeof(MacBucket) << (largest_for(capacity) + 1);
}

unsigned MacTable::size_for(std::size_t entries, std::size_t fraction) const noexcept {
    const std::size_t buckets = std::bit_ceil(entries * fraction / kMacSlots + 1);
    return std::clamp(static_cast<unsigned>(std::countr_zero(buckets)), least_, largest_);
}

void MacTable::fit() {
    const unsigned size = buckets().size;
    const std::size_t slots = bucket_count() * kMacSlots;
    bool refused = false;
    {
        const std::lock_guard lock(writer_);
        refused = std::exchange(refused_, false);
    }
    // Far beyond what is there if more came than there was room for: many more may be about to.
    if (refused || this->size() * 2 > slots)
        resize(size_for(this->size(), refused ? 16 : 4));
    else if (size > least_ && this->size() * 16 < slots)
        resize(size_for(this->size(), 4));
}

void MacTable::reserve(std::size_t more) {
    if ((size() + more) * 2 > bucket_count() * kMacSlots) resize(size_for(size() + more, 2));
}

void MacTable::resize(unsigned size) {
    MacBuckets& next = sizes_[size];
    if (&next == &buckets()) return;
    {
        const std::lock_guard lock(writer_);
        for (MacBucket& bucket : std::span(next.buckets, next.count()))
            for (auto& key : bucket.keys) key.store(0, std::memory_order_relaxed);
        if (!copy(buckets(), next)) return;
        buckets_.store(&next, std::memory_order_release);
    }
    // Nobody may still read the former buckets when they are used again.
    if (wait_for_readers_) wait_for_readers_();
}

bool MacTable::copy(const MacBuckets& from, MacBuckets& to) noexcept {
    for (const MacBucket& bucket : std::span(from.buckets, from.count())) {
        for (std::size_t at = 0; at < kMacSlots; ++at) {
            const MacKey key = bucket.keys[at].load(std::memory_order_relaxed);
            if (key == 0) continue;
            const Slot slot = room_for(to, key, place_of(to, key));
            if (!slot) return false;
            fill(slot, key, MacValue(bucket.values[at].load(std::memory_order_relaxed)));
        }
    }
    return true;
}

}  // namespace bulkhead
