// SPDX-License-Identifier: Apache-2.0
// Looking up many keys at once in the MAC table's buckets: the inner loop of the switch.
//
// Threads: any, while a writer works on the table. See mac_table.h for the order in which entries are written and read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vswitch/fdb/mac_entry.h"

namespace bulkhead {

inline constexpr std::size_t kMacSlots = 4;

/// One cache line: a hit reads no other.
struct alignas(64) MacBucket {
    std::array<std::atomic<std::uint64_t>, kMacSlots> keys;
    std::array<std::atomic<std::uint64_t>, kMacSlots> values;
};

/// The table as a search sees it. A key is in its first bucket or in its second; only where both were full in the
/// neighbour of one of them. With two to choose from hardly any are, until far beyond the table's capacity.
struct MacBuckets {
    MacBucket* buckets = nullptr;
    std::uint64_t mask = 0;    ///< number of buckets, a power of two and at least 2, less one
    std::uint64_t secret = 0;  ///< of this process, so that guests can't choose MACs that meet in one bucket
    std::atomic<std::uint32_t> spilled{0};  ///< keys in neighbours

    [[nodiscard]] std::uint64_t hash(MacKey key) const noexcept {
        std::uint64_t mixed = (key ^ secret) * 0x9e37'79b9'7f4a'7c15ULL;
        mixed ^= mixed >> 32;
        mixed *= 0xd6e8'feb8'6659'fd93ULL;
        return mixed ^ mixed >> 29;
    }
    [[nodiscard]] MacBucket& first(std::uint64_t hash) const noexcept { return buckets[hash & mask]; }
    [[nodiscard]] MacBucket& second(std::uint64_t hash) const noexcept { return buckets[hash >> 32 & mask]; }
    [[nodiscard]] MacBucket& neighbour(const MacBucket& bucket) const noexcept {
        return buckets[(&bucket - buckets) ^ 1];
    }
    /// Where a key may be, in the order in which it is looked for.
    [[nodiscard]] std::array<MacBucket*, 4> candidates(std::uint64_t hash) const noexcept {
        return {&first(hash), &second(hash), &neighbour(first(hash)), &neighbour(second(hash))};
    }
};

/// Looks up many keys at once. `found[i]` is MacValue::none() for what is unknown.
void find_bulk(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept;

/// The entry at a slot whose key was seen to be `key`, or none: the slot may have been given to another key in between.
[[nodiscard]] inline MacValue read_slot(const MacBucket& bucket, std::size_t at, MacKey key) noexcept {
    const MacValue value(bucket.values[at].load(std::memory_order_acquire));
    return bucket.keys[at].load(std::memory_order_relaxed) == key ? value : MacValue::none();
}

}  // namespace bulkhead
