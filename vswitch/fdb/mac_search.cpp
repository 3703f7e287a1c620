// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_search.h"

#include <bit>
#include <span>

// SSE4 is what DPDK itself asks of an x86 CPU. ThreadSanitizer sees no order between a vector load and the atomic
// stores of a writer. Clang, which is for fuzzing, has no pragma for the AVX2 one.
#if defined(__SSE4_1__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define BULKHEAD_VECTOR_SEARCH
#include <smmintrin.h>
#endif

namespace bulkhead {
namespace {

#ifdef BULKHEAD_VECTOR_SEARCH
unsigned slot_with(const MacBucket& bucket, MacKey key) noexcept {
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(key));
    const auto* keys = reinterpret_cast<const __m128i*>(&bucket.keys);
    const __m128i low = _mm_cmpeq_epi64(_mm_load_si128(keys), wanted);
    const __m128i high = _mm_cmpeq_epi64(_mm_load_si128(keys + 1), wanted);
    const int matches = _mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high)));
    return static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(matches) | 1U << (kMacSlots - 1)));
}
#else
unsigned slot_with(const MacBucket& bucket, MacKey key) noexcept {
    unsigned slot = 0;
    while (slot + 1 < kMacSlots && bucket.keys[slot].load(std::memory_order_acquire) != key) ++slot;
    return slot;
}
#endif

}  // namespace
}  // namespace bulkhead

#include "vswitch/fdb/mac_search_loop.h"

namespace bulkhead {
namespace {

struct Searches {
    std::array<MacSearch*, 2> all{find_all};
    std::size_t count = 1;

    Searches() noexcept {
#ifdef BULKHEAD_VECTOR_SEARCH
        const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
                          __builtin_cpu_supports("bmi2") != 0;
        if (avx2) all[count++] = find_bulk_avx2;
#endif
    }
};

const Searches& searches() noexcept {
    static const Searches known;
    return known;
}

MacSearch* const kFastest = mac_searches().back();

}  // namespace

std::span<MacSearch* const> mac_searches() noexcept {
    return {searches().all.data(), searches().count};
}

void find_bulk(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept {
    kFastest(table, keys, found, count);
}

}  // namespace bulkhead
