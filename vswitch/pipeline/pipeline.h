// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/learner.h"
#include "vswitch/pipeline/transmitter.h"

namespace bulkhead {

/// The whole path of a burst, of one worker. Nothing in it waits, allocates from the system heap, logs or throws.
class Pipeline {
  public:
    Pipeline(std::uint16_t worker, MacTable& macs, WorkerCounters& counters, rte_mempool* buffers);

    /// The snapshot changed.
    void adopt(const Snapshot& snapshot);

    /// Takes the burst: `batch.port`, `count` and `frames` are set.
    void run(Batch& batch, const Snapshot& snapshot) noexcept;

    [[nodiscard]] Learner& learner() noexcept { return learner_; }

  private:
    MacTable& macs_;
    WorkerCounters& counters_;
    rte_mempool* buffers_;
    Learner learner_;
    Transmitter transmitter_;
};

}  // namespace bulkhead
