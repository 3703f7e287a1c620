// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_table.h"

#include <algorithm>
#include <bit>
#include <new>
#include <random>

#include <rte_malloc.h>

namespace bulkhead {
namespace {

/// Buckets erased or visited under one hold of the lock: some tens of microseconds.
constexpr std::size_t kChunk = 4096;

void add(std::atomic<std::uint32_t>& counter, int change) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(change),
                  std::memory_order_relaxed);
}

}  // namespace

std::unique_ptr<MacTable> MacTable::create(std::size_t capacity) {
    const std::size_t bucket_count = std::bit_ceil(std::max<std::size_t>(capacity * 2 / kMacSlots, 2));
    void* memory = rte_zmalloc("mac_table", bucket_count * sizeof(MacBucket), alignof(MacBucket));
    if (memory == nullptr) return nullptr;
    std::random_device source;
    const std::uint64_t secret = static_cast<std::uint64_t>(source()) << 32 | source();
    return std::unique_ptr<MacTable>(new MacTable(new (memory) MacBucket[bucket_count]{}, bucket_count, secret));
}

MacTable::MacTable(MacBucket* buckets, std::size_t count, std::uint64_t secret)
    : buckets_{buckets, count - 1, secret}, learned_(kMaxSegments), by_attachment_(kMaxAttachments) {}

MacTable::~MacTable() {
    rte_free(buckets_.buckets);
}

MacValue MacTable::find(MacKey key) const noexcept {
    MacValue found;
    find_bulk(&key, &found, 1);
    return found;
}

void MacTable::touch(MacKey key, MacValue value) noexcept {
    const std::uint32_t now = now_s();
    if (value.is_static() || value.seen_s() == now) return;
    const Slot slot = slot_of(key);
    if (!slot) return;
    std::uint64_t expected = value.word();
    const MacValue seen(value.attachment(), false, now);
    // A slot that got another owner in between holds another word, or one that differs in attachment: both fail.
    slot.bucket->values[slot.at].compare_exchange_strong(expected, seen.word(), std::memory_order_release,
                                                         std::memory_order_relaxed);
}

MacTable::Slot MacTable::slot_of(MacKey key) noexcept {
    for (MacBucket* bucket : buckets_.candidates(buckets_.hash(key)))
        for (std::size_t at = 0; at < kMacSlots; ++at)
            if (bucket->keys[at].load(std::memory_order_acquire) == key) return {bucket, at};
    return {};
}

MacTable::Slot MacTable::free_slot(MacKey key) noexcept {
    auto candidates = buckets_.candidates(buckets_.hash(key));
    // The first bucket while it has room to spare: then most look-ups read one. After that the emptier of the two, or
    // some pair of buckets would fill up long before the table does.
    const std::size_t used = occupancy(*candidates[0]);
    if (used > kMacSlots / 2 && occupancy(*candidates[1]) < used) std::swap(candidates[0], candidates[1]);
    for (MacBucket* bucket : candidates)
        for (std::size_t at = 0; at < kMacSlots; ++at)
            if (bucket->keys[at].load(std::memory_order_relaxed) == 0) return {bucket, at};
    return {};
}

MacTable::Slot MacTable::learned_slot(MacKey key) noexcept {
    for (MacBucket* bucket : buckets_.candidates(buckets_.hash(key)))
        for (std::size_t at = 0; at < kMacSlots; ++at)
            if (!MacValue(bucket->values[at].load(std::memory_order_relaxed)).is_static()) return {bucket, at};
    return {};
}

bool MacTable::is_spilled(Slot slot, MacKey key) const noexcept {
    const std::uint64_t hash = buckets_.hash(key);
    return slot.bucket != &buckets_.first(hash) && slot.bucket != &buckets_.second(hash);
}

std::size_t MacTable::occupancy(const MacBucket& bucket) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(bucket.keys, [](const auto& key) { return key.load(std::memory_order_relaxed) != 0; }));
}

void MacTable::account(MacKey key, MacValue value, int change) noexcept {
    if (!value.is_static()) add(learned_[segment_of(key)], change);
    add(by_attachment_[value.attachment()], change);
}

void MacTable::insert(Slot slot, MacKey key, MacValue value) noexcept {
    if (is_spilled(slot, key)) add(buckets_.spilled, +1);
    slot.bucket->values[slot.at].store(value.word(), std::memory_order_release);
    slot.bucket->keys[slot.at].store(key, std::memory_order_release);
    account(key, value, +1);
    size_.store(size() + 1, std::memory_order_relaxed);
}

void MacTable::overwrite(Slot slot, MacKey key, MacValue value) noexcept {
    account(key, MacValue(slot.bucket->values[slot.at].load(std::memory_order_relaxed)), -1);
    slot.bucket->values[slot.at].store(value.word(), std::memory_order_release);
    account(key, value, +1);
}

void MacTable::clear(Slot slot) noexcept {
    const MacKey key = slot.bucket->keys[slot.at].load(std::memory_order_relaxed);
    account(key, MacValue(slot.bucket->values[slot.at].load(std::memory_order_relaxed)), -1);
    slot.bucket->keys[slot.at].store(0, std::memory_order_release);
    if (is_spilled(slot, key)) add(buckets_.spilled, -1);
    size_.store(size() - 1, std::memory_order_relaxed);
}

MacTable::LearnResult MacTable::WriteGuard::learn(MacKey key, AttachmentIndex attachment,
                                                  std::uint32_t limit) noexcept {
    const MacValue fresh(attachment, false, table_.now_s());
    if (const Slot slot = table_.slot_of(key)) {
        const MacValue present(slot.bucket->values[slot.at].load(std::memory_order_relaxed));
        if (present.is_static()) return {Learned::is_static, present.attachment()};
        if (present.attachment() == attachment) return {Learned::unchanged, attachment};
        table_.overwrite(slot, key, fresh);
        return {Learned::moved, present.attachment()};
    }
    if (table_.learned_in(segment_of(key)) >= limit) return {Learned::limit, kNoAttachment};
    const Slot slot = table_.free_slot(key);
    if (!slot) return {Learned::full, kNoAttachment};
    table_.insert(slot, key, fresh);
    return {Learned::added, kNoAttachment};
}

bool MacTable::WriteGuard::place(MacKey key, AttachmentIndex attachment) noexcept {
    const MacValue value(attachment, true, 0);
    if (const Slot present = table_.slot_of(key)) {
        table_.overwrite(present, key, value);
        return true;
    }
    Slot slot = table_.free_slot(key);
    if (!slot) {
        slot = table_.learned_slot(key);
        if (!slot) return false;
        table_.clear(slot);
    }
    table_.insert(slot, key, value);
    return true;
}

void MacTable::WriteGuard::restore(MacKey key, MacValue before) noexcept {
    const Slot slot = table_.slot_of(key);
    if (!slot) return;
    if (before.exists())
        table_.overwrite(slot, key, before);
    else
        table_.clear(slot);
}

bool MacTable::WriteGuard::erase(MacKey key) noexcept {
    const Slot slot = table_.slot_of(key);
    if (slot) table_.clear(slot);
    return static_cast<bool>(slot);
}

std::size_t MacTable::erase_if(const std::function<bool(MacKey, MacValue)>& goes) {
    return erase_if(goes, 0, 1);
}

std::size_t MacTable::erase_if(const std::function<bool(MacKey, MacValue)>& goes, std::size_t part, std::size_t parts) {
    std::size_t erased = 0;
    const std::size_t last = bucket_count() * (part + 1) / parts;
    for (std::size_t base = bucket_count() * part / parts; base < last; base += kChunk) {
        const std::lock_guard lock(writer_);
        for (std::size_t index = base; index < std::min(base + kChunk, last); ++index) {
            for (std::size_t at = 0; at < kMacSlots; ++at) {
                const MacKey key = buckets_.buckets[index].keys[at].load(std::memory_order_relaxed);
                if (key == 0) continue;
                if (!goes(key, MacValue(buckets_.buckets[index].values[at].load(std::memory_order_relaxed)))) continue;
                clear({&buckets_.buckets[index], at});
                ++erased;
            }
        }
    }
    return erased;
}

void MacTable::for_each(const std::function<void(MacKey, MacValue)>& visit) const {
    for (std::size_t base = 0; base < bucket_count(); base += kChunk) {
        const std::lock_guard lock(writer_);
        for (std::size_t index = base; index < std::min(base + kChunk, bucket_count()); ++index) {
            for (std::size_t at = 0; at < kMacSlots; ++at) {
                const MacKey key = buckets_.buckets[index].keys[at].load(std::memory_order_relaxed);
                if (key != 0) visit(key, MacValue(buckets_.buckets[index].values[at].load(std::memory_order_relaxed)));
            }
        }
    }
}

}  // namespace bulkhead
