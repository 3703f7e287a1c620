// SPDX-License-Identifier: Apache-2.0
#include "vswitch/snapshot_cell.h"

#include <cstdlib>
#include <new>
#include <sched.h>

#include <rte_rcu_qsbr.h>

namespace bulkhead {

SnapshotCell::SnapshotCell(std::uint16_t workers)
    : owned_(
          std::make_unique<const Snapshot>(Snapshot{0, {}, {}, {}, std::vector<std::vector<ReceiveQueue>>(workers)})) {
    const std::size_t size = rte_rcu_qsbr_get_memsize(workers);
    const std::size_t rounded = (size + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
    readers_ = static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, rounded));
    if (readers_ == nullptr) throw std::bad_alloc();
    rte_rcu_qsbr_init(readers_, workers);
    for (unsigned worker = 0; worker < workers; ++worker) rte_rcu_qsbr_thread_register(readers_, worker);
    current_.store(owned_.get(), std::memory_order_release);
}

SnapshotCell::~SnapshotCell() {
    std::free(readers_);
}

void SnapshotCell::publish(std::unique_ptr<Snapshot> next, const std::function<void()>& wake) {
    next->number = ++published_;
    current_.store(next.get(), std::memory_order_release);
    wake();
    wait_for_readers();
    owned_ = std::move(next);
}

void SnapshotCell::wait_for_readers() noexcept {
    const std::uint64_t token = rte_rcu_qsbr_start(readers_);
    // A worker's round is microseconds long, but its core may be ours too: give way instead of spinning.
    while (rte_rcu_qsbr_check(readers_, token, false) == 0) sched_yield();
}

void SnapshotCell::online(std::uint16_t worker) noexcept {
    rte_rcu_qsbr_thread_online(readers_, worker);
}
void SnapshotCell::offline(std::uint16_t worker) noexcept {
    rte_rcu_qsbr_thread_offline(readers_, worker);
}
void SnapshotCell::quiescent(std::uint16_t worker) noexcept {
    rte_rcu_qsbr_quiescent(readers_, worker);
}

}  // namespace bulkhead
