// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/learner.h"

#include <utility>

#include <rte_cycles.h>

#include "vswitch/limits/port_limiter.h"

namespace bulkhead {
namespace {

/// Null: not limited.
RateLimit* limit_of_moves(const Snapshot& snapshot, AttachmentIndex attachment) noexcept {
    PortLimiter* const limiter = snapshot.ports[snapshot.attachments[attachment].port].limiter.get();
    return limiter != nullptr && limiter->mac_moves ? &*limiter->mac_moves : nullptr;
}

}  // namespace

void Learner::settle(const Snapshot& snapshot) noexcept {
    if (pending_count_ == 0) return;
    MacTable::WriteGuard guard(macs_, std::try_to_lock);
    if (!guard.owns()) return;
    for (std::size_t at = 0; at < pending_count_; ++at) {
        const Pending& pending = pending_[at];
        const SegmentEntry& segment = snapshot.segments[segment_of(pending.key)];
        RateLimit* const moves = limit_of_moves(snapshot, pending.attachment);
        const std::uint64_t now = moves == nullptr ? 0 : rte_rdtsc();
        const bool may_move = moves == nullptr || moves->has_tokens(now);
        const MacTable::LearnResult result = guard.learn(pending.key, pending.attachment, segment.mac_limit, may_move);
        // Only those who hold the table's lock take any.
        if (moves != nullptr && result.outcome == MacTable::Learned::moved)
            (void)moves->take(1, [](std::uint16_t) { return 1U; }, now);
        report(pending, result);
    }
    pending_count_ = 0;
}

void Learner::report(const Pending& pending, const MacTable::LearnResult& result) noexcept {
    using enum MacTable::Learned;
    if (result.outcome == unchanged || result.outcome == is_static || result.outcome == postponed) return;
    if (result.outcome == limit || result.outcome == full) {
        const SegmentIndex segment = segment_of(pending.key);
        if (limit_reported_ == segment && limit_reported_s_ == macs_.now_s()) return;
        limit_reported_ = segment;
        limit_reported_s_ = macs_.now_s();
    }
    if (result.outcome == move_limit) {
        if (moves_reported_ == pending.attachment && moves_reported_s_ == macs_.now_s()) return;
        moves_reported_ = pending.attachment;
        moves_reported_s_ = macs_.now_s();
    }
    MacChange change{pending.key, pending.attachment, result.was, result.outcome};
    if (!changes_.push(change)) lost_.add(1);
}

std::uint64_t Learner::take(std::vector<MacChange>& changes) {
    MacChange change;
    while (changes_.pop(change)) changes.push_back(change);
    const std::uint64_t lost = lost_.read();
    return lost - std::exchange(lost_taken_, lost);
}

}  // namespace bulkhead
