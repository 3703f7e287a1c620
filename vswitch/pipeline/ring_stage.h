// SPDX-License-Identifier: Apache-2.0
// The stage that keeps a ring of spokes from being a storm, and the way out of what control has to say about one. Only
// for snapshots with a guarded segment.
#pragma once

#include "vswitch/overlay/ring_guard.h"
#include "vswitch/pipeline/stages.h"

struct rte_mbuf;

namespace bulkhead {

/// Comes between find_macs and learn, so that nothing is learned from a copy. Each node takes the first copy of a
/// flooded frame only; so the copies that go both ways round a ring end where they meet. Verdicts: ring_probe (it went
/// to control, if it was one), spoke_cut, duplicate_flood.
void guard_rings(Batch& batch, const Snapshot& snapshot, RingGuard& guard) noexcept;

/// What guard_rings() would say of a frame; nothing is remembered.
[[nodiscard]] DropReason would_guard(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                     const RingGuard& guard) noexcept;

/// Whether a probe can be sent by the attachment that control named, under this snapshot.
[[nodiscard]] bool leaves_by(const RingGuard::Probe& probe, const Snapshot& snapshot) noexcept;
/// A probe as a frame; null without a buffer.
[[nodiscard]] rte_mbuf* ring_probe_frame(const RingProbe& probe, rte_mempool* buffers) noexcept;

}  // namespace bulkhead
