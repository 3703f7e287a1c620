// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/learner.h"

#include <memory>
#include <new>
#include <utility>

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace bulkhead {
namespace {

constexpr unsigned kRingSize = 4096;
static_assert(sizeof(MacChange) % 4 == 0, "librte_ring copies elements in words of four bytes");

}  // namespace

Learner::Learner(MacTable& macs) : macs_(macs) {
    const auto size = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(MacChange), kRingSize));
    std::size_t space = size + RTE_CACHE_LINE_SIZE;
    ring_memory_ = std::make_unique<std::byte[]>(space);
    void* aligned = ring_memory_.get();
    std::align(RTE_CACHE_LINE_SIZE, size, aligned, space);
    changes_ = static_cast<rte_ring*>(aligned);
    if (rte_ring_init(changes_, "mac_changes", kRingSize, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) throw std::bad_alloc();
}

Learner::~Learner() = default;

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
    if (rte_ring_sp_enqueue_elem(changes_, &change, sizeof change) != 0) lost_.add(1);
}

std::uint64_t Learner::take(std::vector<MacChange>& changes) {
    MacChange change;
    while (rte_ring_sc_dequeue_elem(changes_, &change, sizeof change) == 0) changes.push_back(change);
    const std::uint64_t lost = lost_.read();
    return lost - std::exchange(lost_taken_, lost);
}

}  // namespace bulkhead
