// SPDX-License-Identifier: Apache-2.0
// The loop of the search. Included by each file that compiles it for an instruction set, after that file's
// `unsigned slot_with(const MacBucket&, MacKey)`: the slot that holds the key, any slot if none does.

namespace bulkhead {
namespace {

constexpr std::size_t kAhead = 128;  ///< keys whose buckets are fetched before the first is compared

/// Whether the value that was read from the slot was the key's. Since the slot was found it may have gone to another
/// key and back; but there was a moment at which it held the key, and if the value is the same before and after that,
/// by its version too, it is what it held with it.
bool is_value_of(MacKey key, MacValue value, const MacBucket& bucket, unsigned slot) noexcept {
    const std::uint64_t other_key = bucket.keys[slot].load(std::memory_order_acquire) ^ key;
    const MacValue again(bucket.values[slot].load(std::memory_order_relaxed));
    return (other_key | (again.written() ^ value.written())) == 0;
}

/// What the bucket says of the key, or none.
MacValue find_in(const MacBucket& bucket, MacKey key) noexcept {
    const unsigned slot = slot_with(bucket, key);
    const MacValue value(bucket.values[slot].load(std::memory_order_acquire));
    return is_value_of(key, value, bucket, slot) ? value : MacValue::none();
}

void find_elsewhere(const MacBuckets& table, const MacKey* keys, std::span<const std::uint8_t> elsewhere,
                    MacValue* found) noexcept {
    for (const std::uint8_t at : elsewhere) __builtin_prefetch(&table.second(table.hash(keys[at])));
    for (const std::uint8_t at : elsewhere) found[at] = find_in(table.second(table.hash(keys[at])), keys[at]);
}

void find_part(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept {
    std::array<const MacBucket*, kAhead> buckets;
    std::array<std::uint8_t, kAhead> elsewhere;
    // A local copy, or what is stored into `found` might have changed it for all the compiler knows.
    const MacBuckets view = table;
#pragma GCC unroll 4
    for (std::size_t at = 0; at < count; ++at) {
        buckets[at] = &view.first(view.hash(keys[at]));
        __builtin_prefetch(buckets[at]);
    }
    // Most keys are in their first bucket. The others are noted without a branch, which nobody could predict.
    std::size_t misses = 0;
#pragma GCC unroll 4
    for (std::size_t at = 0; at < count; ++at) {
        const MacBucket& bucket = *buckets[at];
        const unsigned slot = slot_with(bucket, keys[at]);
        const MacValue value(bucket.values[slot].load(std::memory_order_acquire));
        found[at] = value;
        elsewhere[misses] = static_cast<std::uint8_t>(at);
        misses += is_value_of(keys[at], value, bucket, slot) ? 0 : 1;
    }
    if (misses > 0) find_elsewhere(table, keys, {elsewhere.data(), misses}, found);
}

void find_all(const MacBuckets& table, const MacKey* keys, MacValue* found, std::size_t count) noexcept {
    for (; count > kAhead; keys += kAhead, found += kAhead, count -= kAhead) find_part(table, keys, found, kAhead);
    find_part(table, keys, found, count);
}

}  // namespace
}  // namespace bulkhead
