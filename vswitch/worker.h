// SPDX-License-Identifier: Apache-2.0
// One polling thread: receive a burst, run the pipeline, again. Between rounds it holds no snapshot.
//
// Threads: all the worker's own, but wake() and counters().
#pragma once

#include <atomic>
#include <vector>

#include "vswitch/idler.h"
#include "vswitch/pipeline/pipeline.h"
#include "vswitch/port_turns.h"
#include "vswitch/snapshot_cell.h"

namespace bulkhead {

class Worker {
  public:
    Worker(std::uint16_t number, SnapshotCell& snapshots, const Pipeline::Shared& shared,
           const SwitchSettings& settings);

    /// Until `stop` is set.
    void run(const std::atomic<bool>& stop) noexcept;
    /// One round and out: for tests, which then see everything settled.
    void run_once() noexcept;

    void wake() noexcept { idler_.wake(); }
    [[nodiscard]] const WorkerCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] Learner& learner() noexcept { return pipeline_.learner(); }
    [[nodiscard]] PolicyLog& policy_log() noexcept { return pipeline_.policy_log(); }

  private:
    /// Polls each of these queues once; returns how many frames there were.
    std::uint32_t poll(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept;
    /// Gives each port its turn.
    std::uint32_t poll(const Snapshot& snapshot) noexcept;
    std::uint16_t serve(const Snapshot& snapshot, const ReceiveQueue& queue, std::uint16_t most) noexcept;
    const Snapshot& refresh() noexcept;
    void sleep(const Snapshot& snapshot) noexcept;

    std::uint16_t number_;
    SnapshotCell& snapshots_;
    WorkerCounters counters_;
    Pipeline pipeline_;
    Idler idler_;
    PortTurns turns_;
    Batch batch_;
    std::uint64_t adopted_ = UINT64_MAX;  ///< number of the snapshot last seen
};

}  // namespace bulkhead
