// SPDX-License-Identifier: Apache-2.0
// The MAC table of the whole switch: (segment, MAC) → attachment, in one hash table of one 64-bit key word and one
// 64-bit value word per entry, four entries a bucket, two candidate buckets a key. Entries never move, so readers need
// no lock: a writer publishes value before key and clears key before value, and a reader looks at the key again after
// the value.
//
// Threads: find and touch from any worker at any time. All else takes the writer's lock; workers only try it
// (WriteGuard::try_lock) and come back later, so that nobody waits for a preempted writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/fdb/mac_entry.h"
#include "vswitch/fdb/mac_search.h"

namespace bulkhead {

class MacTable {
  public:
    /// Room for `capacity` entries at half load. Memory is `16 * 2 * capacity` bytes, from DPDK's heap (hugepages).
    /// Null when there is not enough.
    static std::unique_ptr<MacTable> create(std::size_t capacity);
    ~MacTable();
    MacTable(const MacTable&) = delete;
    MacTable& operator=(const MacTable&) = delete;

    // ---- any thread, no lock ----

    [[nodiscard]] MacValue find(MacKey key) const noexcept;
    /// Looks up many at once. `found[i]` is MacValue::none() for what is unknown.
    void find_bulk(const MacKey* keys, MacValue* found, std::size_t count) const noexcept {
        bulkhead::find_bulk(buckets_, keys, found, count);
    }
    /// Says that the entry was seen now. Writes at most once a second an entry, and only if `value` still stands.
    void touch(MacKey key, MacValue value) noexcept;

    [[nodiscard]] std::uint32_t now_s() const noexcept { return now_s_.load(std::memory_order_relaxed); }
    void set_now(std::uint32_t seconds) noexcept { now_s_.store(seconds, std::memory_order_relaxed); }

    // ---- writers ----

    enum class Learned : std::uint8_t { added, moved, unchanged, limit, is_static, full };
    struct LearnResult {
        Learned outcome = Learned::unchanged;
        AttachmentIndex was = kNoAttachment;  ///< moved: where it was; is_static: whose it is
    };

    /// Holding one is the right to write.
    class WriteGuard {
      public:
        explicit WriteGuard(MacTable& table) : table_(table), lock_(table.writer_) {}
        WriteGuard(MacTable& table, std::try_to_lock_t tag) : table_(table), lock_(table.writer_, tag) {}
        [[nodiscard]] bool owns() const noexcept { return lock_.owns_lock(); }

        /// Learns or moves; `limit` bounds the segment's learned entries. Static entries are never changed.
        LearnResult learn(MacKey key, AttachmentIndex attachment, std::uint32_t limit) noexcept;
        /// Places a static entry, over a learned one too, and instead of another learned one where all its buckets are
        /// full. False when they are full of static ones.
        bool place(MacKey key, AttachmentIndex attachment) noexcept;
        /// Undoes place(): the entry as find() had it before, or none.
        void restore(MacKey key, MacValue before) noexcept;
        bool erase(MacKey key) noexcept;

      private:
        MacTable& table_;
        std::unique_lock<std::mutex> lock_;
    };

    /// Forgets entries for which `goes` says so, in chunks, so that learning goes on in between. Returns how many.
    std::size_t erase_if(const std::function<bool(MacKey, MacValue)>& goes);
    /// The same over one part in `parts` of the table: aging spreads its work over time.
    std::size_t erase_if(const std::function<bool(MacKey, MacValue)>& goes, std::size_t part, std::size_t parts);
    void for_each(const std::function<void(MacKey, MacValue)>& visit) const;

    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t learned_in(SegmentIndex segment) const noexcept {
        return learned_[segment].load(std::memory_order_relaxed);
    }
    /// Entries, learned or static, that point at the attachment.
    [[nodiscard]] std::uint32_t entries_of(AttachmentIndex attachment) const noexcept {
        return by_attachment_[attachment].load(std::memory_order_relaxed);
    }

  private:
    struct Slot {
        MacBucket* bucket = nullptr;
        std::size_t at = 0;
        explicit operator bool() const { return bucket != nullptr; }
    };

    MacTable(MacBucket* buckets, std::size_t count, std::uint64_t secret);

    [[nodiscard]] std::size_t bucket_count() const noexcept { return buckets_.mask + 1; }
    [[nodiscard]] Slot slot_of(MacKey key) noexcept;
    [[nodiscard]] Slot free_slot(MacKey key) noexcept;
    /// A slot of the key's buckets that holds a learned entry.
    [[nodiscard]] Slot learned_slot(MacKey key) noexcept;
    [[nodiscard]] bool is_spilled(Slot slot, MacKey key) const noexcept;
    [[nodiscard]] static std::size_t occupancy(const MacBucket& bucket) noexcept;
    void insert(Slot slot, MacKey key, MacValue value) noexcept;
    void overwrite(Slot slot, MacKey key, MacValue value) noexcept;
    void clear(Slot slot) noexcept;
    void account(MacKey key, MacValue value, int change) noexcept;

    MacBuckets buckets_;
    std::atomic<std::uint32_t> now_s_{0};  ///< written by control, read by workers
    std::atomic<std::size_t> size_{0};
    mutable std::mutex writer_;
    std::vector<std::atomic<std::uint32_t>> learned_;        ///< by segment; written under writer_
    std::vector<std::atomic<std::uint32_t>> by_attachment_;  ///< by attachment; written under writer_
};

}  // namespace bulkhead
