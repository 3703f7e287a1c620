// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/overlay/next_hops.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/underlay_exchange.h"
#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/apply_policy.h"
#include "vswitch/pipeline/host_wire.h"
#include "vswitch/pipeline/learner.h"
#include "vswitch/pipeline/mirror_stage.h"
#include "vswitch/pipeline/too_big_answers.h"
#include "vswitch/pipeline/transmitter.h"

namespace bulkhead {

/// The whole path of a burst, of one worker. Nothing in it waits, allocates from the system heap, logs or throws.
class Pipeline {
  public:
    /// What workers share with each other and with control. All outlive the pipeline.
    struct Shared {
        MacTable& macs;
        const NextHops& next_hops;
        UnderlayExchange& exchange;
        RingGuard& rings;
        ConnectionTable& connections;
        FragmentMemory& fragments;
        rte_mempool* buffers;
        rte_mempool* copies = nullptr;  ///< for those that mirrors make; null: none
    };

    Pipeline(std::uint16_t worker, const Shared& shared, WorkerCounters& counters);

    /// The snapshot changed.
    void adopt(const Snapshot& snapshot);

    /// Takes the burst: `batch.port`, `count` and `frames` are set.
    void run(Batch& batch, const Snapshot& snapshot) noexcept;

    /// What is not of a burst: MACs to be learned, answers to sources of frames too big for their path, frames that
    /// wait for a next hop, and what this node itself has to say on its underlays. Call it after a round without a
    /// burst, too.
    void settle(const Snapshot& snapshot) noexcept;

    [[nodiscard]] Learner& learner() noexcept { return learner_; }
    [[nodiscard]] PolicyLog& policy_log() noexcept { return policy_.log(); }

  private:
    void send_probes(const Snapshot& snapshot) noexcept;

    std::uint16_t worker_;
    MacTable& macs_;
    UnderlayExchange& exchange_;
    RingGuard& rings_;
    WorkerCounters& counters_;
    rte_mempool* buffers_;
    Learner learner_;
    TooBigAnswers too_big_;
    Transmitter transmitter_;
    HostWire wire_;
    PolicyStage policy_;
    MirrorStage mirrors_;
};

}  // namespace bulkhead
