// SPDX-License-Identifier: Apache-2.0
// The end of the path: every frame leaves, is replicated, or is freed and counted under its reason.
#pragma once

#include "vswitch/pipeline/apply_policy.h"
#include "vswitch/pipeline/mirror_stage.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/pipeline/transmitter.h"

namespace bulkhead {

/// Frees frames with a verdict; each counts once, for its attachment if known, else for its port.
void sweep_dropped(const Batch& batch, WorkerCounters& counters) noexcept;

/// Gives every other frame to the transmitter: unicast in place; flooded to each other attachment of the segment that
/// may have it, by reference to one buffer, never by copying its payload. `policy` has judged the batch.
/// `mirrors`, if there are any, is told by what flooded frames leave.
void replicate(Batch& batch, const Snapshot& snapshot, PolicyStage& policy, Transmitter& transmitter,
               WorkerCounters& counters, rte_mempool* buffers, MirrorStage* mirrors = nullptr) noexcept;

}  // namespace bulkhead
