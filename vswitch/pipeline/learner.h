// SPDX-License-Identifier: Apache-2.0
// What one worker has seen and the MAC table does not know yet. The pipeline only notes it; after the burst the worker
// writes it to the table under the writer's lock, if that is free, else after the next. So a MAC is known to all
// workers microseconds after its first frame, and a frame of a known source writes nothing.
//
// Threads: note() and settle() by the worker; take() by control.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/base/ring.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

/// A change of the MAC table for control to report, by index.
struct MacChange {
    MacKey key = 0;
    AttachmentIndex attachment = kNoAttachment;
    AttachmentIndex was = kNoAttachment;
    MacTable::Learned outcome = MacTable::Learned::unchanged;
};

class Learner {
  public:
    explicit Learner(MacTable& macs) : macs_(macs) {}

    void note(MacKey key, AttachmentIndex attachment) noexcept {
        if (pending_count_ > 0 && pending_[pending_count_ - 1].key == key) return;
        if (pending_count_ < pending_.size()) pending_[pending_count_++] = {key, attachment};
    }

    /// Writes what is pending, if the lock is free.
    void settle(const Snapshot& snapshot) noexcept;

    /// A new snapshot is in force: what was noted under the former one may name what is gone.
    void forget() noexcept { pending_count_ = 0; }

    /// Appends the changes since the last call; returns how many were lost because the ring was full.
    std::uint64_t take(std::vector<MacChange>& changes);

  private:
    struct Pending {
        MacKey key;
        AttachmentIndex attachment;
    };

    void report(const Pending& pending, const MacTable::LearnResult& result) noexcept;

    MacTable& macs_;
    std::array<Pending, 256> pending_;
    std::size_t pending_count_ = 0;
    SegmentIndex limit_reported_ = kNoSegment;  ///< one event per spell of a full segment, not one per frame
    std::uint32_t limit_reported_s_ = 0;
    AttachmentIndex moves_reported_ = kNoAttachment;  ///< likewise, of a port to which too many move
    std::uint32_t moves_reported_s_ = 0;
    Ring<MacChange> changes_{"mac_changes", 4096, Producers::one};  ///< from the worker to control
    Counter lost_;
    std::uint64_t lost_taken_ = 0;  ///< control only
};

}  // namespace bulkhead
