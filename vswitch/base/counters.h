// SPDX-License-Identifier: Apache-2.0
// Counters of one worker. The worker alone writes them; any thread reads them at any time (each value is whole, the set
// is not a snapshot). They only grow. A row whose index is handed to a new object goes on from where it stood: control
// keeps the baseline and subtracts it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"

namespace bulkhead {

/// One 64-bit number with a single writer: an increment is a plain add, not a locked one.
class Counter {
  public:
    void add(std::uint64_t amount) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

struct alignas(64) TrafficCounters {
    Counter rx_packets, rx_bytes, tx_packets, tx_bytes;
    std::array<Counter, kDropReasons> drops;
};

/// What a rule of policy has decided about.
struct RuleCounters {
    Counter packets, bytes;
};

/// Why an observer did not get a copy.
enum class CopyLoss : std::uint8_t {
    mirror_full,  ///< the port that gets the copies did not take it
    no_buffer,    ///< the buffers for copies are all on their way
    busy,         ///< the burst had more to copy than it may cost
    unreachable,  ///< the next hop of the tunnel is not known
    unfinished,   ///< what its sender left to be done can't be done
    count
};
inline constexpr std::size_t kCopyLosses = static_cast<std::size_t>(CopyLoss::count);

/// What a mirror, or a rule that mirrors, has copied. Copies are in no other counter, and not in the books.
struct MirrorCounters {
    Counter packets, bytes;  ///< that the observer's port took
    std::array<Counter, kCopyLosses> lost;
};

/// The books of DESIGN: received + originated + copies = transmitted + consumed + Σ drops + held.
struct Books {
    Counter received, originated, copies, transmitted, consumed;
    Counter held;  ///< how many wait for a neighbour at this moment
    std::array<Counter, kDropReasons> drops;
};

struct alignas(64) WorkerCounters {
    Books books;
    Counter busy_cycles, idle_cycles, sleeps, bursts;
    Counter marked, stale_marks;  ///< frames that a NIC's mark led to their tunnel, and such of former rules
    /// Rows by index. A frame counts for its port always and for its attachment once that is known; a drop counts in
    /// exactly one row: the attachment's if known, else the port's. A frame that an egress port refuses counts as a
    /// drop there.
    std::vector<TrafficCounters> ports = std::vector<TrafficCounters>(kMaxPorts);
    std::vector<TrafficCounters> attachments = std::vector<TrafficCounters>(kMaxAttachments);
    std::vector<RuleCounters> rules = std::vector<RuleCounters>(kMaxRules);  ///< by RuleIndex
    std::vector<MirrorCounters> mirrors = std::vector<MirrorCounters>(kMirrorRows);
};

}  // namespace bulkhead
