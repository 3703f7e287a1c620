// SPDX-License-Identifier: Apache-2.0
// Looking up many keys at once in the MAC table's buckets: the inner loop of the switch, so there is one for each kind
// of CPU. All give the same answers; the best one that the CPU has is chosen at start.
//
// Threads: any, while a writer works on the table. See mac_table.h for the order in which entries are written and read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vswitch/fdb/mac_entry.h"

namespace bulkhead {

inline constexpr std::size_t kMacSlots = 8;  ///< keys of one bucket fill one cache line

struct alignas(128) MacBucket {
    std::array<std::atomic<std::uint64_t>, kMacSlots> keys;
    std::array<std::atomic<std::uint64_t>, kMacSlots> values;
};

/// The table as a search sees it. Every key has two buckets where it may be.
struct MacBuckets {
    MacBucket* buckets = nullptr;
    std::uint64_t mask = 0;    ///< number of buckets, a power of two, less one
    std::uint64_t secret = 0;  ///< of this process, so that guests can't choose MACs that meet in one bucket

    static constexpr std::uint64_t kFirstFactor = 0x9e37'79b9'7f4a'7c15ULL, kSecondFactor = 0xd6e8'feb8'6659'fd93ULL;

    [[nodiscard]] std::uint64_t hash(MacKey key) const noexcept {
        std::uint64_t mixed = (key ^ secret) * kFirstFactor;
        mixed ^= mixed >> 32;
        mixed *= kSecondFactor;
        return mixed ^ mixed >> 29;
    }
    [[nodiscard]] MacBucket& first(std::uint64_t hash) const noexcept { return buckets[hash & mask]; }
    [[nodiscard]] MacBucket& second(std::uint64_t hash) const noexcept { return buckets[hash >> 32 & mask]; }
};

/// Looks up many keys at once. `found[i]` is MacValue::none() for what is unknown.
void find_bulk(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept;

/// The entry at a slot whose key was seen to be `key`, or none: the slot may have been given to another key in between.
[[nodiscard]] inline MacValue read_slot(const MacBucket& bucket, std::size_t at, MacKey key) noexcept {
    const MacValue value(bucket.values[at].load(std::memory_order_acquire));
    return bucket.keys[at].load(std::memory_order_relaxed) == key ? value : MacValue::none();
}

}  // namespace bulkhead
