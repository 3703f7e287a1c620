// SPDX-License-Identifier: Apache-2.0
// What became of the first fragment of a packet, for those that follow (RFC 791, section 3.2; RFC 8200, section 4.5).
//
// Threads: any worker, and forget_all() control. Two words a place, which differ by a check if they are of two writers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "vswitch/policy/connection_key.h"
#include "vswitch/policy/flow.h"

namespace bulkhead {

class FragmentMemory {
  public:
    explicit FragmentMemory(std::array<std::uint64_t, 2> secret) : secret_(secret) {}

    /// For this long later fragments may follow; receivers wait 15 to 60 s (RFC 1122, section 3.3.2; RFC 8200).
    static constexpr std::uint32_t kWindowS = 30;

    struct Sight {
        bool passes = false;
        std::uint16_t rule = 0;  ///< that decided, within its segment
    };

    /// `epoch` is of the segment: what was known of an earlier one of the same index does not count.
    void remember(const Flow& flow, Sight sight, std::uint32_t epoch, std::uint32_t now_s) noexcept {
        const std::uint64_t name = name_of(flow, epoch);
        Bucket& bucket = memory_[name % kBuckets];
        Place* oldest = bucket.places.data();
        for (Place& place : bucket.places) {
            if (is(place, name)) return write(place, name, sight, now_s);
            if (seen_s(place) < seen_s(*oldest)) oldest = &place;
        }
        write(*oldest, name, sight, now_s);
    }

    [[nodiscard]] std::optional<Sight> find(const Flow& flow, std::uint32_t epoch, std::uint32_t now_s) const noexcept {
        const std::uint64_t name = name_of(flow, epoch);
        for (const Place& place : memory_[name % kBuckets].places) {
            if (!is(place, name) || now_s > seen_s(place) + kWindowS) continue;
            const std::uint64_t value = place.value.load(std::memory_order_relaxed);
            return Sight{(value & 1) != 0, static_cast<std::uint16_t>(value >> 8)};
        }
        return std::nullopt;
    }

    /// By control: no later fragment passes for what was known of its first one until now.
    void forget_all() noexcept {
        for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
            for (Place& place : memory_[bucket].places) place.value.store(0, std::memory_order_relaxed);
    }

  private:
    static constexpr std::size_t kBuckets = 2048, kPlacesTogether = 4;
    struct Place {
        std::atomic<std::uint64_t> check;  ///< name ^ value
        std::atomic<std::uint64_t> value;  ///< seen 32, rule 16 at 8, passes 1; 0: free
    };
    struct alignas(64) Bucket {
        std::array<Place, kPlacesTogether> places;
    };

    /// Of a packet: its addresses, protocol (of IPv4) and identification.
    [[nodiscard]] std::uint64_t name_of(const Flow& flow, std::uint32_t epoch) const noexcept {
        ConnectionKey key;
        key.words = {flow.source[0], flow.source[1], flow.destination[0], flow.destination[1],
                     static_cast<std::uint64_t>(flow.identification_or_acknowledgment) << 32 |
                         static_cast<std::uint64_t>(flow.segment) << 16};
        if (flow.family == FlowFamily::ipv4) key.words[4] |= static_cast<std::uint64_t>(flow.protocol) << 8;
        return hash_of(key, {secret_[0] + epoch, secret_[1]});
    }
    static bool is(const Place& place, std::uint64_t name) noexcept {
        const std::uint64_t value = place.value.load(std::memory_order_relaxed);
        return value != 0 && (place.check.load(std::memory_order_relaxed) ^ value) == name;
    }
    static std::uint32_t seen_s(const Place& place) noexcept {
        return static_cast<std::uint32_t>(place.value.load(std::memory_order_relaxed) >> 32);
    }
    static void write(Place& place, std::uint64_t name, Sight sight, std::uint32_t now_s) noexcept {
        constexpr std::uint64_t kInUse = 2;
        const std::uint64_t value = static_cast<std::uint64_t>(now_s) << 32 |
                                    static_cast<std::uint64_t>(sight.rule) << 8 | kInUse | (sight.passes ? 1U : 0U);
        place.value.store(value, std::memory_order_relaxed);
        place.check.store(name ^ value, std::memory_order_relaxed);
    }

    std::array<std::uint64_t, 2> secret_;
    std::unique_ptr<Bucket[]> memory_ = std::make_unique<Bucket[]>(kBuckets);
};

}  // namespace bulkhead
