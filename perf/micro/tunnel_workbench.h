// SPDX-License-Identifier: Apache-2.0
// One segment with a pod here and stations behind remote nodes, which are reached through tunnels by one NIC; and a
// batch of 64 frames, from the pod or from the NIC, to run the pipeline on.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "perf/micro/sink_port.h"
#include "perf/micro/workbench.h"
#include "vswitch/base/counters.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/next_hops.h"
#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/underlay_exchange.h"
#include "vswitch/packet/batch.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/fragment_memory.h"
#include "vswitch/policy/policy_compiler.h"

namespace bulkhead::perf {

class TunnelWorkbench {
  public:
    /// `pairs` stations behind the pod's port, each with a partner behind one of `remotes` nodes, by turns.
    TunnelWorkbench(TunnelType type, std::uint32_t remotes, std::uint32_t pairs);
    ~TunnelWorkbench();
    TunnelWorkbench(const TunnelWorkbench&) = delete;
    TunnelWorkbench& operator=(const TunnelWorkbench&) = delete;

    /// Frames of 60 octets from random stations of the pod to their partners.
    void receive_from_pod();
    /// The same back: in tunnels, from the partners' nodes.
    void receive_from_underlay();
    /// As that, from a NIC that has matched them.
    void receive_marked();

    Batch batch;
    WorkerCounters counters;
    NextHops next_hops;
    UnderlayExchange exchange{buffers()};
    RingGuard rings{exchange, 1};
    std::unique_ptr<ConnectionTable> connections = ConnectionTable::create(1U << 18);
    FragmentMemory fragments{{1, 2}};
    PolicyCompiler policies;
    PortLimiters limiters;
    MirrorCompiler mirrors;
    std::unique_ptr<MacTable> macs;
    std::unique_ptr<Snapshot> snapshot;

  private:
    void build();
    void learn();
    void write_inner(rte_mbuf* frame, std::uint64_t destination, std::uint64_t source, std::uint32_t pair);
    void receive(PortIndex port);
    [[nodiscard]] std::uint32_t random_pair() { return static_cast<std::uint32_t>(random_() % pairs_); }

    TunnelType type_;
    std::uint32_t remotes_, pairs_;
    std::mt19937 random_{1};
    SinkPort pod_, nic_;
    std::vector<OuterHeader> from_remotes_;
    Indices indices_;
    std::array<rte_mbuf*, Batch::kCapacity> frames_;
};

}  // namespace bulkhead::perf
