// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/connection_table.h"

#include <bit>
#include <random>
#include <thread>
#include <utility>

#include <rte_malloc.h>
#include <rte_pause.h>

namespace bulkhead {
namespace {

constexpr std::size_t kCacheLine = 64;

std::uint64_t random_number(std::random_device& device) {
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace

/// Of a bucket. Whoever holds it may be preempted, so no worker waits for long.
class ConnectionTable::Lock {
  public:
    enum class Waits : std::uint8_t { always };
    explicit Lock(std::atomic<std::uint32_t>& word) noexcept : word_(word) { try_often(); }
    /// For control, which has the time: it owns it then.
    Lock(std::atomic<std::uint32_t>& word, Waits /*for it*/) : word_(word) {
        for (try_often(); !owns_; try_often()) std::this_thread::yield();
    }
    ~Lock() {
        if (owns_) word_.store(0, std::memory_order_release);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    [[nodiscard]] bool owns() const noexcept { return owns_; }

  private:
    void try_often() noexcept {
        constexpr int kTries = 256;
        for (int attempt = 0; attempt < kTries && !owns_; ++attempt) {
            owns_ = word_.exchange(1, std::memory_order_acquire) == 0;
            if (!owns_) rte_pause();
        }
    }

    std::atomic<std::uint32_t>& word_;
    bool owns_ = false;
};

std::size_t ConnectionTable::memory_for(std::size_t places) noexcept {
    return places / kTogether * sizeof(Tags) + places * sizeof(Connection);
}

std::unique_ptr<ConnectionTable> ConnectionTable::create(std::size_t places) {
    // Zeroed: every tag is free.
    void* const memory = rte_zmalloc("connections", memory_for(places), kCacheLine);
    if (memory == nullptr) return nullptr;
    std::random_device device;
    return std::unique_ptr<ConnectionTable>(
        new ConnectionTable(memory, places, {random_number(device), random_number(device)}));
}

ConnectionTable::ConnectionTable(void* memory, std::size_t places, std::array<std::uint64_t, 2> secret)
    : memory_(memory),
      buckets_(places / kTogether),
      shift_(static_cast<unsigned>(64 - std::countr_zero(buckets_))),
      tags_(static_cast<Tags*>(memory)),
      connections_(reinterpret_cast<Connection*>(static_cast<std::uint8_t*>(memory) + buckets_ * sizeof(Tags))),
      secret_(secret),
      by_port_(kMaxPorts) {}

ConnectionTable::~ConnectionTable() {
    rte_free(memory_);
}

std::size_t ConnectionTable::claim(std::size_t bucket) noexcept {
    for (std::size_t at = 0; at < kTogether; ++at) {
        Tag free = kFree;
        if (tags_[bucket].of[at].compare_exchange_strong(free, kClaimed, std::memory_order_acquire)) return at;
    }
    return kTogether;
}

Connection* ConnectionTable::open(const ConnectionKey& key, std::uint64_t hash, ConnectionStatus status,
                                  ConnectionOrigin origin, std::uint32_t share) noexcept {
    std::size_t bucket = bucket_of(hash);
    Tags& home = tags_[bucket];
    const Lock lock(home.lock);
    if (!lock.owns()) return nullptr;
    const auto write = [&](Connection& connection) {
        connection.reached[0].store(0, std::memory_order_relaxed);
        connection.reached[1].store(0, std::memory_order_relaxed);
        connection.origin.store(origin.word(), std::memory_order_relaxed);
        connection.status.store(status.word(), std::memory_order_relaxed);
    };
    if (Connection* const former = find(key, hash); former != nullptr) {
        const auto was = ConnectionOrigin::of(former->origin.load(std::memory_order_relaxed));
        by_port_[was.port].fetch_sub(1, std::memory_order_relaxed);
        by_port_[origin.port].fetch_add(1, std::memory_order_relaxed);
        write(*former);
        return former;
    }
    if (!has_room(origin.port, share)) return nullptr;
    std::size_t at = claim(bucket);
    for (std::uint32_t further = 0; at == kTogether; ++further) {
        if (further == kFurther) return nullptr;
        bucket = further_bucket_of(hash, further);
        at = claim(bucket);
        if (home.further.load(std::memory_order_relaxed) <= further)
            home.further.store(further + 1, std::memory_order_relaxed);
    }
    Connection& connection = connections_[bucket * kTogether + at];
    for (std::size_t word = 0; word < key.words.size(); ++word)
        connection.key[word].store(key.words[word], std::memory_order_relaxed);
    write(connection);
    tags_[bucket].of[at].store(tag_of(hash), std::memory_order_release);
    size_.fetch_add(1, std::memory_order_relaxed);
    by_port_[origin.port].fetch_add(1, std::memory_order_relaxed);
    return &connection;
}

std::size_t ConnectionTable::erase_if(const std::function<bool(const Connection&)>& ends, std::size_t part,
                                      std::size_t parts) {
    std::vector<std::pair<std::atomic<Tag>*, Connection*>> gone;
    for (std::size_t bucket = buckets_ * part / parts; bucket < buckets_ * (part + 1) / parts; ++bucket) {
        for (std::size_t at = 0; at < kTogether; ++at) {
            std::atomic<Tag>& tag = tags_[bucket].of[at];
            Connection& connection = connections_[bucket * kTogether + at];
            if (tag.load(std::memory_order_acquire) <= kClaimed || !ends(connection)) continue;
            // A worker may just be opening it anew: that happens under the lock of its home, which may be another.
            ConnectionKey key;
            for (std::size_t word = 0; word < key.words.size(); ++word)
                key.words[word] = connection.key[word].load(std::memory_order_relaxed);
            const Lock lock(tags_[bucket_of(hash(key))].lock, Lock::Waits::always);
            if (!ends(connection)) continue;
            tag.store(kClaimed, std::memory_order_relaxed);
            const auto origin = ConnectionOrigin::of(connection.origin.load(std::memory_order_relaxed));
            by_port_[origin.port].fetch_sub(1, std::memory_order_relaxed);
            gone.emplace_back(&tag, &connection);
        }
    }
    if (gone.empty()) return 0;
    if (wait_for_readers_) wait_for_readers_();
    for (const auto& [tag, connection] : gone) {
        // nearest() gives out places without a look at their tags.
        connection->status.store(ConnectionStatus{}.word(), std::memory_order_relaxed);
        tag->store(kFree, std::memory_order_release);
    }
    size_.fetch_sub(gone.size(), std::memory_order_relaxed);
    return gone.size();
}

void ConnectionTable::for_each(const std::function<bool(std::size_t, const Connection&)>& visit,
                               std::size_t from) const {
    for (std::size_t place = from; place < places(); ++place) {
        const bool is_there = tags_[place / kTogether].of[place % kTogether].load(std::memory_order_acquire) > kClaimed;
        if (is_there && !visit(place, connections_[place])) return;
    }
}

}  // namespace bulkhead
