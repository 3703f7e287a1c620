// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/base/counters.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"

namespace bulkhead {

/// Counts the burst as received: for the worker, the port, and the attachments that assign_segment found. Of what came
/// out of tunnels the first two are counted by decapsulate, with the outer headers; here the tunnels get their share.
void account_received(const Batch& batch, const Snapshot& snapshot, WorkerCounters& counters) noexcept;

}  // namespace bulkhead
