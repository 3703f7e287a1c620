// SPDX-License-Identifier: Apache-2.0
// Sends a frame through the stages without sending it: those that write nothing are the very ones of the data path, and
// for each other one there is its decision without its deed.
//
// Threads: control, which alone publishes snapshots.
#pragma once

#include "vswitch/base/result.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/fragment_memory.h"

struct rte_mempool;

namespace bulkhead {

/// What is asked. Nothing of it is changed: Judge, whose deciding changes nothing, takes its tables as the workers do.
struct LiveTables {
    const Snapshot& snapshot;
    const Indices& indices;
    const MacTable& macs;
    const RingGuard& rings;
    ConnectionTable& connections;
    FragmentMemory& fragments;
    rte_mempool* buffers;
};

/// Refuses a port that does not exist, is not open or is an underlay's, and a frame that is longer than any.
[[nodiscard]] Result<PacketExplanation> explain_packet(const LiveTables& tables, const PacketQuestion& question);

}  // namespace bulkhead
