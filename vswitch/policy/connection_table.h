// SPDX-License-Identifier: Apache-2.0
// Every connection of the node: buckets of eight, found by a 16-bit tag each, so that a look-up reads one line of tags
// and one connection. A connection whose bucket is full stands in one of a few others.
//
// Threads: find() and open() by any worker; all else by control. A worker may use what find() gave it until it is next
// quiescent (snapshot_cell.h): a place is used for another connection only after that. Opening takes the lock of a
// bucket for some nanoseconds; a worker that does not get it goes without.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <rte_vect.h>

#include "vswitch/base/ids.h"
#include "vswitch/policy/connection.h"

namespace bulkhead {

class ConnectionTable {
  public:
    /// With `places` for connections, a power of two from 64 on, of which three quarters are used at most. Memory is
    /// memory_for(places), from DPDK's heap (hugepages); null when there is not enough.
    static std::unique_ptr<ConnectionTable> create(std::size_t places);
    [[nodiscard]] static std::size_t memory_for(std::size_t places) noexcept;
    ~ConnectionTable();
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;

    // ---- any worker ----

    [[nodiscard]] std::uint64_t hash(const ConnectionKey& key) const noexcept { return hash_of(key, secret_); }
    /// The same of an IPv4 connection, by the words of its key that are not 0.
    [[nodiscard]] std::uint64_t hash_v4(std::uint64_t addresses, std::uint64_t rest) const noexcept {
        return hash_of({.words = {0, 0, 0, addresses, rest}}, secret_);
    }
    void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&tags_[bucket_of(hash)]); }
    void prefetch_connection(std::uint64_t hash) noexcept { __builtin_prefetch(&nearest(hash), 1); }
    /// Null if there is none. It may be over (see connection_track.h).
    [[nodiscard]] Connection* find(const ConnectionKey& key, std::uint64_t hash) noexcept;
    /// Where find() would look first; there may be any other connection, or none.
    [[nodiscard]] Connection& nearest(std::uint64_t hash) noexcept {
        const std::size_t bucket = bucket_of(hash);
        const unsigned at =
            static_cast<unsigned>(std::countr_zero(matches(bucket, tag_of(hash)) | 1U << (kTogether - 1)));
        return connections_[bucket * kTogether + at];
    }
    /// The connection of the key, with this status and origin: a new one, or that which is there and is over. Null
    /// where `share` connections of the origin's port, or all that there may be, are open.
    Connection* open(const ConnectionKey& key, std::uint64_t hash, ConnectionStatus status, ConnectionOrigin origin,
                     std::uint32_t share) noexcept;

    // ---- control ----

    /// Ends those of one part in `parts` for which `ends` says so, and makes room once no worker reads them any more.
    /// After that no frame passes by them. Returns how many.
    std::size_t erase_if(const std::function<bool(const Connection&)>& ends, std::size_t part, std::size_t parts);
    void set_wait_for_readers(std::function<void()> wait) { wait_for_readers_ = std::move(wait); }
    /// Calls `visit(place, connection)` until it says no more, from a place on. A connection keeps its place.
    void for_each(const std::function<bool(std::size_t, const Connection&)>& visit, std::size_t from = 0) const;
    [[nodiscard]] std::size_t places() const noexcept { return buckets_ * kTogether; }

    [[nodiscard]] std::size_t capacity() const noexcept { return buckets_ * kTogether / 4 * 3; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    /// Open connections that count for a port.
    [[nodiscard]] std::uint32_t of_port(PortIndex port) const noexcept {
        return by_port_[port].load(std::memory_order_relaxed);
    }
    /// Whether a port that may open `share` connections may open another one.
    [[nodiscard]] bool has_room(PortIndex port, std::uint32_t share) const noexcept {
        return of_port(port) < share && size() < capacity();
    }

  private:
    static constexpr std::size_t kTogether = 8;
    using Tag = std::uint16_t;
    static constexpr Tag kFree = 0, kClaimed = 1;  ///< being written, or on its way out: found by nobody

    struct alignas(32) Tags {
        std::array<std::atomic<Tag>, kTogether> of;
        std::atomic<std::uint32_t> lock;
        /// In how many of the further buckets of connections of this one there may be some; never undone.
        std::atomic<std::uint32_t> further;
    };

    class Lock;
    ConnectionTable(void* memory, std::size_t places, std::array<std::uint64_t, 2> secret);

    [[nodiscard]] static Tag tag_of(std::uint64_t hash) noexcept {
        return static_cast<Tag>((hash & 0xffff) | 2);  // neither free nor claimed
    }
    // A product's upper bits are the best mixed ones.
    [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const noexcept { return hash >> shift_; }
    static constexpr std::uint32_t kFurther = 16;
    [[nodiscard]] std::size_t further_bucket_of(std::uint64_t hash, std::uint32_t at) const noexcept {
        return ((hash >> 20) + at) & (buckets_ - 1);
    }

    /// One bit a place whose tag this is. A place that changes meanwhile is one that holds, or held, nothing of this
    /// tag.
    [[nodiscard]] unsigned matches(std::size_t bucket, Tag tag) const noexcept;
    [[nodiscard]] Connection* find_in(std::size_t bucket, const ConnectionKey& key, Tag tag) noexcept;
    /// A free place of the bucket, claimed; kTogether if there is none.
    [[nodiscard]] std::size_t claim(std::size_t bucket) noexcept;

    void* memory_;
    std::size_t buckets_;
    unsigned shift_;
    Tags* tags_;
    Connection* connections_;
    std::array<std::uint64_t, 2> secret_;
    std::function<void()> wait_for_readers_;
    std::atomic<std::size_t> size_{0};
    std::vector<std::atomic<std::uint32_t>> by_port_;
};

inline unsigned ConnectionTable::matches(std::size_t bucket, Tag tag) const noexcept {
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags_[bucket].of.data()));
    const __m128i equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(tag)));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
    std::atomic_thread_fence(std::memory_order_acquire);
    return bits;
#else
    unsigned bits = 0;
    for (std::size_t at = 0; at < kTogether; ++at)
        bits |= tags_[bucket].of[at].load(std::memory_order_acquire) == tag ? 1U << at : 0U;
    return bits;
#endif
}

inline Connection* ConnectionTable::find_in(std::size_t bucket, const ConnectionKey& key, Tag tag) noexcept {
    for (unsigned bits = matches(bucket, tag); bits != 0; bits &= bits - 1) {
        Connection* const connection =
            &connections_[bucket * kTogether + static_cast<unsigned>(std::countr_zero(bits))];
        if (connection->is(key)) [[likely]]
            return connection;
    }
    return nullptr;
}

inline Connection* ConnectionTable::find(const ConnectionKey& key, std::uint64_t hash) noexcept {
    const std::size_t bucket = bucket_of(hash);
    Connection* const found = find_in(bucket, key, tag_of(hash));
    const std::uint32_t further = tags_[bucket].further.load(std::memory_order_relaxed);
    if (found != nullptr || further == 0) [[likely]]
        return found;
    for (std::uint32_t at = 0; at < further; ++at)
        if (Connection* const other = find_in(further_bucket_of(hash, at), key, tag_of(hash)); other != nullptr)
            return other;
    return nullptr;
}

}  // namespace bulkhead
