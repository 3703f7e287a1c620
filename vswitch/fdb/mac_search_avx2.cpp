// SPDX-License-Identifier: Apache-2.0
// The search for CPUs with AVX2 and BMI, chosen when the program starts: Debian builds for an older baseline.
#include "vswitch/fdb/mac_search.h"

#if defined(__SSE4_1__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#include <bit>
#include <immintrin.h>
#include <span>

// From here on, so that no inline function of a header is compiled for this CPU and then used on another.
#pragma GCC target("avx2,bmi,bmi2")

namespace bulkhead {
namespace {

unsigned slot_with(const MacBucket& bucket, MacKey key) noexcept {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(key));
    const __m256i keys = _mm256_load_si256(reinterpret_cast<const __m256i*>(&bucket.keys));
    const int matches = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, wanted)));
    return _tzcnt_u32(static_cast<unsigned>(matches) | 1U << (kMacSlots - 1));
}

}  // namespace
}  // namespace bulkhead

#include "vswitch/fdb/mac_search_loop.h"

namespace bulkhead {

void find_bulk_avx2(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept {
    find_all(table, keys, found, count);
}

}  // namespace bulkhead

#endif
