// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_search.h"

#include <algorithm>
#include <bit>

// SSE4 is what DPDK itself asks of an x86 CPU, and wider vectors gained next to nothing when they were tried.
// ThreadSanitizer sees no order between a vector load and the atomic stores of a writer.
#if defined(__SSE4_1__) && !defined(__SANITIZE_THREAD__)
#define BULKHEAD_VECTOR_SEARCH
#include <smmintrin.h>
#endif

namespace bulkhead {
namespace {

constexpr std::size_t kAhead = 64;  ///< keys whose buckets are fetched before the first is compared

/// The slot of those in the bit mask `slots`, which hold the key.
MacValue read_first(const MacBucket& bucket, unsigned slots, MacKey key) noexcept {
    return read_slot(bucket, static_cast<std::size_t>(std::countr_zero(slots)), key);
}

/// The bucket's slots that hold the key, as a bit mask.
#ifdef BULKHEAD_VECTOR_SEARCH
unsigned slots_with(const MacBucket& bucket, MacKey key) noexcept {
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(key));
    const auto* keys = reinterpret_cast<const __m128i*>(&bucket.keys);
    const __m128i low = _mm_cmpeq_epi64(_mm_load_si128(keys), wanted);
    const __m128i high = _mm_cmpeq_epi64(_mm_load_si128(keys + 1), wanted);
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high))));
}
#else
unsigned slots_with(const MacBucket& bucket, MacKey key) noexcept {
    unsigned slots = 0;
    for (unsigned at = 0; at < kMacSlots; ++at)
        slots |= static_cast<unsigned>(bucket.keys[at].load(std::memory_order_acquire) == key) << at;
    return slots;
}
#endif

MacValue find_in(const MacBucket& bucket, MacKey key) noexcept {
    const unsigned slots = slots_with(bucket, key);
    return slots == 0 ? MacValue::none() : read_first(bucket, slots, key);
}

MacValue find_spilled(const MacBuckets& table, std::uint64_t hash, MacKey key) noexcept {
    const MacValue value = find_in(table.neighbour(table.first(hash)), key);
    return value.exists() ? value : find_in(table.neighbour(table.second(hash)), key);
}

}  // namespace

void find_bulk(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept {
    std::array<std::uint64_t, kAhead> hashes;
    std::array<std::uint8_t, kAhead> elsewhere;
    for (; count > 0; keys += kAhead, found += kAhead) {
        const std::size_t part = std::min(kAhead, count);
        std::size_t misses = 0;
        for (std::size_t at = 0; at < part; ++at) {
            hashes[at] = table.hash(keys[at]);
            __builtin_prefetch(&table.first(hashes[at]));
        }
        // Most keys are in their first bucket. The others' second ones are fetched, and looked at when all first are.
        for (std::size_t at = 0; at < part; ++at) {
            const MacBucket& bucket = table.first(hashes[at]);
            if (const unsigned slots = slots_with(bucket, keys[at])) [[likely]] {
                found[at] = read_first(bucket, slots, keys[at]);
            } else {
                __builtin_prefetch(&table.second(hashes[at]));
                elsewhere[misses++] = static_cast<std::uint8_t>(at);
            }
        }
        for (std::size_t miss = 0; miss < misses; ++miss) {
            const std::size_t at = elsewhere[miss];
            found[at] = find_in(table.second(hashes[at]), keys[at]);
            if (!found[at].exists() && table.spilled.load(std::memory_order_relaxed) > 0) [[unlikely]]
                found[at] = find_spilled(table, hashes[at], keys[at]);
        }
        count -= part;
    }
}

}  // namespace bulkhead
