// SPDX-License-Identifier: Apache-2.0
// The first stage of what comes in on an underlay.
#pragma once

#include "vswitch/base/counters.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/underlay_exchange.h"
#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/host_wire.h"

namespace bulkhead {

/// Takes the outer headers off, so that the batch goes on as frames of their segments, each with its `ingress`: (outer
/// source, VNI) → tunnel's attachment, and its `group` where tunnels tell it and are trusted. What is for this node
/// itself goes up, what is not to be trusted is dropped and counted; neither is in the batch any more. Nor is what goes
/// by the wire, as all does that a host TAP brings. Drops: those of the outer header, see drop_reason.h.
void decapsulate(Batch& batch, const Snapshot& snapshot, WorkerCounters& counters, UnderlayExchange& exchange,
                 HostWire& wire) noexcept;

}  // namespace bulkhead
