// SPDX-License-Identifier: Apache-2.0
// Looking up many keys at once in the MAC table's buckets: the inner loop of the switch.
//
// Threads: any, while a writer works on the table. See mac_table.h for the order in which entries are written and read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vswitch/fdb/mac_entry.h"

namespace bulkhead {

inline constexpr std::size_t kMacSlots = 4;

/// One cache line: a hit reads no other.
struct alignas(64) MacBucket {
    std::array<std::atomic<std::uint64_t>, kMacSlots> keys;
    std::array<std::atomic<std::uint64_t>, kMacSlots> values;
};

/// The table as a search sees it. A key is in its first bucket, or in its second where the first was full.
struct MacBuckets {
    MacBucket* buckets = nullptr;
    unsigned size = 1;         ///< the number of buckets, as a power of two; at least 1
    std::uint64_t secret = 1;  ///< odd, of this process, so that guests can't choose MACs that meet in one bucket

    /// Two multiplications: after one alone, addresses numbered in steps crowd together under some secrets.
    [[nodiscard]] std::uint64_t hash(MacKey key) const noexcept {
        __extension__ using Product = unsigned __int128;
        const Product product = static_cast<Product>(key) * secret;
        const std::uint64_t folded = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
        return folded * 0xd6e8'feb8'6659'fd93ULL;
    }
    [[nodiscard]] std::size_t count() const noexcept { return std::size_t{1} << size; }
    // A product's upper bits are the best mixed ones; the second bucket comes from those below them.
    [[nodiscard]] MacBucket& first(std::uint64_t hash) const noexcept { return buckets[hash >> (64 - size)]; }
    [[nodiscard]] MacBucket& second(std::uint64_t hash) const noexcept { return buckets[hash >> 20 & (count() - 1)]; }
    /// Where a key may be, in the order in which it is looked for.
    [[nodiscard]] std::array<MacBucket*, 2> candidates(std::uint64_t hash) const noexcept {
        return {&first(hash), &second(hash)};
    }
};

/// Looks up many keys at once. `found[i]` is MacValue::none() for what is unknown.
void find_bulk(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept;

/// The same for one kind of CPU.
using MacSearch = void(const MacBuckets&, const MacKey*, MacValue*, std::size_t) noexcept;
/// Those that run on this CPU; find_bulk() is the last.
[[nodiscard]] std::span<MacSearch* const> mac_searches() noexcept;
/// Needs AVX2, BMI and BMI2.
MacSearch find_bulk_avx2;

}  // namespace bulkhead
