// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_table.h"

#include <algorithm>
#include <memory>
#include <random>
#include <span>

#include <rte_cycles.h>
#include <rte_malloc.h>

namespace bulkhead {
namespace {

/// Buckets erased or visited under one hold of the lock, and the pause after each, in which workers learn.
constexpr std::size_t kChunk = 1024;
constexpr unsigned kPauseUs = 10;

void add(std::atomic<std::uint32_t>& counter, int change) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(change),
                  std::memory_order_relaxed);
}

}  // namespace

std::unique_ptr<MacTable> MacTable::create(std::size_t capacity) {
    void* memory = rte_malloc("mac_table", memory_for(capacity), alignof(MacBucket));
    if (memory == nullptr) return nullptr;
    std::random_device source;
    const std::uint64_t secret = static_cast<std::uint64_t>(source()) << 32 | source() | 1;
    return std::unique_ptr<MacTable>(new MacTable(static_cast<MacBucket*>(memory), largest_for(capacity), secret));
}

MacTable::MacTable(MacBucket* memory, unsigned largest, std::uint64_t secret)
    : memory_(memory),
      least_(std::min(kLeast, largest)),
      largest_(largest),
      learned_(kMaxSegments),
      by_attachment_(kMaxAttachments) {
    std::uninitialized_value_construct_n(memory, 2UL << largest);
    for (unsigned size = least_; size <= largest_; ++size) {
        sizes_[size].buckets = memory + (1UL << size);
        sizes_[size].size = size;
        sizes_[size].secret = secret;
    }
    buckets_ = &sizes_[least_];
}

MacTable::~MacTable() {
    rte_free(memory_);
}

MacValue MacTable::find(MacKey key) const noexcept {
    MacValue found;
    find_bulk(&key, &found, 1);
    return found;
}

void MacTable::touch(MacKey key, MacValue value) noexcept {
    const std::uint32_t now = now_s();
    if (value.is_static() || value.seen_s() == now) return;
    const Slot slot = slot_of(buckets(), key);
    if (!slot) return;
    std::uint64_t expected = value.word();
    // A slot that got another owner in between holds a value of another version.
    slot.bucket->values[slot.at].compare_exchange_strong(expected, value.seen_at(now).word(), std::memory_order_release,
                                                         std::memory_order_relaxed);
}

MacTable::Slot MacTable::slot_of(MacBuckets& table, MacKey key) noexcept {
    for (MacBucket* bucket : table.candidates(table.hash(key)))
        for (std::size_t at = 0; at < kMacSlots; ++at)
            if (bucket->keys[at].load(std::memory_order_acquire) == key) return {bucket, at};
    return {};
}

MacTable::Slot MacTable::free_slot_in(MacBucket& bucket) noexcept {
    for (std::size_t at = 0; at < kMacSlots; ++at)
        if (bucket.keys[at].load(std::memory_order_relaxed) == 0) return {&bucket, at};
    return {};
}

MacTable::Place MacTable::place_of(MacBuckets& table, MacKey key) noexcept {
    Place place;
    for (MacBucket* bucket : table.candidates(table.hash(key))) {
        for (std::size_t at = 0; at < kMacSlots; ++at) {
            const MacKey there = bucket->keys[at].load(std::memory_order_relaxed);
            if (there == key) return {.present = {bucket, at}, .free = {}};
            if (there == 0 && !place.free) place.free = {bucket, at};
        }
    }
    return place;
}

MacTable::Slot MacTable::room_for(MacBuckets& table, MacKey key, const Place& place) noexcept {
    if (place.free) return place.free;
    // Another key gives way that is in its first bucket and has room in its second. It is in both for a moment, and
    // since a reader looks into the first one first, it is never in neither.
    for (MacBucket* bucket : table.candidates(table.hash(key))) {
        for (std::size_t at = 0; at < kMacSlots; ++at) {
            const MacKey other = bucket->keys[at].load(std::memory_order_relaxed);
            const std::uint64_t hash = table.hash(other);
            if (&table.first(hash) != bucket) continue;
            const Slot slot = free_slot_in(table.second(hash));
            if (!slot) continue;
            fill(slot, other, MacValue(bucket->values[at].load(std::memory_order_relaxed)));
            bucket->keys[at].store(0, std::memory_order_release);
            moves_.store(moves_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return {bucket, at};
        }
    }
    return {};
}

MacTable::Slot MacTable::learned_slot(MacBuckets& table, MacKey key) noexcept {
    for (MacBucket* bucket : table.candidates(table.hash(key)))
        for (std::size_t at = 0; at < kMacSlots; ++at)
            if (!MacValue(bucket->values[at].load(std::memory_order_relaxed)).is_static()) return {bucket, at};
    return {};
}

void MacTable::account(MacKey key, MacValue value, int change) noexcept {
    if (!value.is_static()) add(learned_[segment_of(key)], change);
    add(by_attachment_[value.attachment()], change);
}

void MacTable::write(Slot slot, MacValue value) noexcept {
    std::atomic<std::uint64_t>& word = slot.bucket->values[slot.at];
    word.store(value.after(MacValue(word.load(std::memory_order_relaxed))).word(), std::memory_order_release);
}

void MacTable::fill(Slot slot, MacKey key, MacValue value) noexcept {
    write(slot, value);
    slot.bucket->keys[slot.at].store(key, std::memory_order_release);
}

void MacTable::insert(Slot slot, MacKey key, MacValue value) noexcept {
    fill(slot, key, value);
    account(key, value, +1);
    size_.store(size() + 1, std::memory_order_relaxed);
}

void MacTable::overwrite(Slot slot, MacKey key, MacValue value) noexcept {
    account(key, MacValue(slot.bucket->values[slot.at].load(std::memory_order_relaxed)), -1);
    write(slot, value);
    account(key, value, +1);
}

void MacTable::clear(Slot slot) noexcept {
    const MacKey key = slot.bucket->keys[slot.at].load(std::memory_order_relaxed);
    account(key, MacValue(slot.bucket->values[slot.at].load(std::memory_order_relaxed)), -1);
    slot.bucket->keys[slot.at].store(0, std::memory_order_release);
    size_.store(size() - 1, std::memory_order_relaxed);
}

MacTable::LearnResult MacTable::WriteGuard::learn(MacKey key, AttachmentIndex attachment, std::uint32_t limit,
                                                  bool may_move) noexcept {
    const MacValue fresh(attachment, false, table_.now_s());
    const Place place = place_of(table_.buckets(), key);
    if (const Slot slot = place.present) {
        const MacValue present(slot.bucket->values[slot.at].load(std::memory_order_relaxed));
        if (present.is_static()) return {Learned::is_static, present.attachment()};
        if (present.attachment() == attachment) return {Learned::unchanged, attachment};
        if (!may_move) return {Learned::move_limit, present.attachment()};
        table_.overwrite(slot, key, fresh);
        return {Learned::moved, present.attachment()};
    }
    if (table_.learned_in(segment_of(key)) >= limit) return {Learned::limit, kNoAttachment};
    const Slot slot = table_.room_for(table_.buckets(), key, place);
    if (!slot) {
        table_.refused_ = true;
        const bool may_grow = table_.buckets().size < table_.largest_;
        return {may_grow ? Learned::postponed : Learned::full, kNoAttachment};
    }
    table_.insert(slot, key, fresh);
    return {Learned::added, kNoAttachment};
}

bool MacTable::WriteGuard::place(MacKey key, AttachmentIndex attachment) noexcept {
    const MacValue value(attachment, true, 0);
    const Place place = place_of(table_.buckets(), key);
    if (place.present) {
        table_.overwrite(place.present, key, value);
        return true;
    }
    Slot slot = table_.room_for(table_.buckets(), key, place);
    if (!slot) {
        slot = learned_slot(table_.buckets(), key);
        if (!slot) return false;
        table_.clear(slot);
    }
    table_.insert(slot, key, value);
    return true;
}

void MacTable::WriteGuard::restore(MacKey key, MacValue before) noexcept {
    const Slot slot = slot_of(table_.buckets(), key);
    if (!slot) return;
    if (before.exists())
        table_.overwrite(slot, key, before);
    else
        table_.clear(slot);
}

bool MacTable::WriteGuard::erase(MacKey key) noexcept {
    const Slot slot = slot_of(table_.buckets(), key);
    if (slot) table_.clear(slot);
    return static_cast<bool>(slot);
}

std::size_t MacTable::erase_if(const std::function<bool(MacKey, MacValue)>& goes) {
    const std::uint64_t moves_before = moves_.load(std::memory_order_relaxed);
    std::size_t erased = erase_if(goes, 0, 1);
    const std::lock_guard lock(writer_);
    // An entry that gave way to another meanwhile may have moved to where we had looked already.
    if (moves_.load(std::memory_order_relaxed) != moves_before) erased += erase_within(goes, 0, bucket_count());
    return erased;
}

std::size_t MacTable::erase_if(const std::function<bool(MacKey, MacValue)>& goes, std::size_t part, std::size_t parts) {
    std::size_t erased = 0;
    const std::size_t last = bucket_count() * (part + 1) / parts;
    for (std::size_t base = bucket_count() * part / parts; base < last; base += kChunk) {
        if (base > 0) rte_delay_us_block(kPauseUs);
        const std::lock_guard lock(writer_);
        erased += erase_within(goes, base, std::min(base + kChunk, last));
    }
    return erased;
}

std::size_t MacTable::erase_within(const std::function<bool(MacKey, MacValue)>& goes, std::size_t first,
                                   std::size_t last) {
    std::size_t erased = 0;
    for (MacBucket& bucket : std::span(buckets().buckets + first, last - first)) {
        for (std::size_t at = 0; at < kMacSlots; ++at) {
            const MacKey key = bucket.keys[at].load(std::memory_order_relaxed);
            if (key == 0 || !goes(key, MacValue(bucket.values[at].load(std::memory_order_relaxed)))) continue;
            clear({&bucket, at});
            ++erased;
        }
    }
    return erased;
}

void MacTable::for_each(const std::function<void(MacKey, MacValue)>& visit) const {
    for (std::size_t base = 0; base < bucket_count(); base += kChunk) {
        const std::size_t count = std::min(kChunk, bucket_count() - base);
        const std::lock_guard lock(writer_);
        for (const MacBucket& bucket : std::span(buckets().buckets + base, count)) {
            for (std::size_t at = 0; at < kMacSlots; ++at) {
                const MacKey key = bucket.keys[at].load(std::memory_order_relaxed);
                if (key != 0) visit(key, MacValue(bucket.values[at].load(std::memory_order_relaxed)));
            }
        }
    }
}

}  // namespace bulkhead
