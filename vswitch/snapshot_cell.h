// SPDX-License-Identifier: Apache-2.0
// Publishes the snapshot and says when nobody reads the former one any more: quiescent-state based reclamation by
// librte_rcu. A worker reads one pointer per round, reports a quiescent state between rounds, and is offline while it
// sleeps.
//
// Threads: publish() and wait_for_readers() by control; everything else by the worker it names.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "vswitch/base/ids.h"
#include "vswitch/model/snapshot.h"

struct rte_rcu_qsbr;

namespace bulkhead {

class SnapshotCell {
  public:
    explicit SnapshotCell(std::uint16_t workers);
    ~SnapshotCell();
    SnapshotCell(const SnapshotCell&) = delete;
    SnapshotCell& operator=(const SnapshotCell&) = delete;

    /// Puts `next` in force, calls `wake` so that sleepers see it, and returns when no worker uses the former one,
    /// which is then destroyed.
    void publish(std::unique_ptr<Snapshot> next, const std::function<void()>& wake);

    /// Returns when every worker has finished the round it was in.
    void wait_for_readers() noexcept;

    [[nodiscard]] const Snapshot* read() const noexcept { return current_.load(std::memory_order_acquire); }
    void online(std::uint16_t worker) noexcept;
    void offline(std::uint16_t worker) noexcept;
    void quiescent(std::uint16_t worker) noexcept;

  private:
    std::atomic<const Snapshot*> current_;
    std::unique_ptr<const Snapshot> owned_;  ///< control only
    std::uint64_t published_ = 0;            ///< control only
    rte_rcu_qsbr* readers_;
};

}  // namespace bulkhead
