// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/learner.h"

#include <utility>

namespace bulkhead {

void Learner::settle(const Snapshot& snapshot) noexcept {
    if (pending_count_ == 0) return;
    MacTable::WriteGuard guard(macs_, std::try_to_lock);
    if (!guard.owns()) return;
    for (std::size_t at = 0; at < pending_count_; ++at) {
        const Pending& pending = pending_[at];
        const SegmentEntry& segment = snapshot.segments[segment_of(pending.key)];
        report(pending, guard.learn(pending.key, pending.attachment, segment.mac_limit));
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
