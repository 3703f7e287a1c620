// SPDX-License-Identifier: Apache-2.0
// The MAC table of the whole switch: (segment, MAC) → attachment, in one hash table of one 64-bit key word and one
// 64-bit value word per entry, four entries a bucket, two candidate buckets a key. Readers need no lock: a
// writer publishes value before key and clears key before value, every value that it writes to a slot has another
// version, and a reader looks at key and value again after the value.
//
// Threads: find and touch from any worker at any time. All else takes the writer's lock; workers only try it
// (std::try_to_lock) and come back later, so that nobody waits for a preempted writer.
//
// The table is as large as what it holds asks for, so that a node with few stations finds them all in its nearest
// caches: fit() copies all entries to buckets of another number, an eighth to a quarter full, while workers go on
// reading the former ones; the smallest apart, a sixteenth to a half is in use in between. Memory for all sizes is
// taken at the start; a table can't run out of it later.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/fdb/mac_entry.h"
#include "vswitch/fdb/mac_search.h"

namespace bulkhead {

class MacTable {
  public:
    /// Grows to room for `capacity` entries at half load. Memory is memory_for(capacity), from DPDK's heap (hugepages).
    /// Null when there is not enough.
    static std::unique_ptr<MacTable> create(std::size_t capacity);
    [[nodiscard]] static std::size_t memory_for(std::size_t capacity) noexcept;
    ~MacTable();
    MacTable(const MacTable&) = delete;
    MacTable& operator=(const MacTable&) = delete;

    // ---- any thread, no lock ----

    [[nodiscard]] MacValue find(MacKey key) const noexcept;
    /// Looks up many at once. `found[i]` is MacValue::none() for what is unknown.
    void find_bulk(const MacKey* keys, MacValue* found, std::size_t count) const noexcept {
        bulkhead::find_bulk(buckets(), keys, found, count);
    }
    /// Says that the entry was seen now. Writes at most once a second an entry, and only if `value` still stands.
    void touch(MacKey key, MacValue value) noexcept;

    [[nodiscard]] std::uint32_t now_s() const noexcept { return now_s_.load(std::memory_order_relaxed); }
    void set_now(std::uint32_t seconds) noexcept { now_s_.store(seconds, std::memory_order_relaxed); }

    // ---- writers ----

    enum class Learned : std::uint8_t {
        added,
        moved,
        unchanged,
        limit,       ///< of the segment
        move_limit,  ///< it may not move
        is_static,   ///< and some other attachment's
        postponed,   ///< no room before the next fit()
        full,        ///< no room, and the table is as large as it gets
    };
    struct LearnResult {
        Learned outcome = Learned::unchanged;
        AttachmentIndex was = kNoAttachment;  ///< moved, move_limit: where it was; is_static: whose it is
    };

    /// Holding one is the right to write.
    class WriteGuard {
      public:
        explicit WriteGuard(MacTable& table) : table_(table), lock_(table.writer_) {}
        WriteGuard(MacTable& table, std::try_to_lock_t tag) : table_(table), lock_(table.writer_, tag) {}
        [[nodiscard]] bool owns() const noexcept { return lock_.owns_lock(); }

        /// Learns or, if it `may_move`, moves; `limit` bounds the segment's learned entries. Static entries are never
        /// changed.
        LearnResult learn(MacKey key, AttachmentIndex attachment, std::uint32_t limit, bool may_move = true) noexcept;
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

    // ---- size: control thread ----

    /// Set once, before there are readers: returns when every reader has finished the look-up it was in.
    void set_wait_for_readers(std::function<void()> wait) { wait_for_readers_ = std::move(wait); }
    /// Grows or shrinks to what the table holds. Call about ten times a second: until then what finds no room is not
    /// learned.
    void fit();
    /// Grows, if it can, to hold `more` entries beside the present ones.
    void reserve(std::size_t more);

    /// Forgets entries for which `goes` says so, in chunks, so that learning goes on in between. Returns how many.
    std::size_t erase_if(const std::function<bool(MacKey, MacValue)>& goes);
    /// The same over one part in `parts` of the table: aging spreads its work over time.
    std::size_t erase_if(const std::function<bool(MacKey, MacValue)>& goes, std::size_t part, std::size_t parts);
    /// An entry that moves while this goes on may be visited twice, or not at all.
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

    /// Where a key is, or else the first free slot of its buckets, if there is one.
    struct Place {
        Slot present;
        Slot free;
    };

    MacTable(MacBucket* memory, unsigned largest, std::uint64_t secret);

    [[nodiscard]] const MacBuckets& buckets() const noexcept { return *buckets_.load(std::memory_order_acquire); }
    [[nodiscard]] MacBuckets& buckets() noexcept { return *buckets_.load(std::memory_order_acquire); }
    [[nodiscard]] std::size_t bucket_count() const noexcept { return buckets().count(); }
    /// The smallest table: 1,024 buckets, 64 KiB. Sizes are powers of two.
    static constexpr unsigned kLeast = 10;
    /// The size that holds `capacity` entries at half load.
    [[nodiscard]] static unsigned largest_for(std::size_t capacity) noexcept;
    /// The least size that holds so many entries at a fraction of its slots.
    [[nodiscard]] unsigned size_for(std::size_t entries, std::size_t fraction) const noexcept;
    void resize(unsigned size);
    [[nodiscard]] bool copy(const MacBuckets& from, MacBuckets& to) noexcept;

    [[nodiscard]] static Slot slot_of(MacBuckets& table, MacKey key) noexcept;
    [[nodiscard]] static Slot free_slot_in(MacBucket& bucket) noexcept;
    [[nodiscard]] static Place place_of(MacBuckets& table, MacKey key) noexcept;
    /// The free slot of the key's place, or one that another key has left to it.
    [[nodiscard]] Slot room_for(MacBuckets& table, MacKey key, const Place& place) noexcept;
    /// A slot of the key's buckets that holds a learned entry.
    [[nodiscard]] static Slot learned_slot(MacBuckets& table, MacKey key) noexcept;
    static void write(Slot slot, MacValue value) noexcept;
    static void fill(Slot slot, MacKey key, MacValue value) noexcept;
    void insert(Slot slot, MacKey key, MacValue value) noexcept;
    void overwrite(Slot slot, MacKey key, MacValue value) noexcept;
    void clear(Slot slot) noexcept;
    std::size_t erase_within(const std::function<bool(MacKey, MacValue)>& goes, std::size_t first, std::size_t last);
    void account(MacKey key, MacValue value, int change) noexcept;

    MacBucket* memory_;                 ///< 2^n buckets lie at index 2^n, so that every size has its own place
    const unsigned least_, largest_;    ///< sizes, as powers of two
    std::array<MacBuckets, 32> sizes_;  ///< by size
    std::atomic<MacBuckets*> buckets_;  ///< the size in use; written by control, read by all
    std::function<void()> wait_for_readers_;
    std::atomic<std::uint32_t> now_s_{0};  ///< written by control, read by workers
    std::atomic<std::size_t> size_{0};
    std::atomic<std::uint64_t> moves_{0};  ///< entries that gave way to others; written under writer_
    mutable std::mutex writer_;
    bool refused_ = false;                             ///< some entry found no room since the last fit(); under writer_
    std::vector<std::atomic<std::uint32_t>> learned_;  ///< by segment; written under writer_
    std::vector<std::atomic<std::uint32_t>> by_attachment_;  ///< by attachment; written under writer_
};

}  // namespace bulkhead
