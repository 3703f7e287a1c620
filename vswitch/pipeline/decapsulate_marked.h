// SPDX-License-Identifier: Apache-2.0
// The short way into a segment for what a NIC has matched already.
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

#include "vswitch/base/counters.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"

namespace bulkhead {

/// Receive flags of a frame that a NIC marked, and of nobody else's here (port_io.h).
inline constexpr std::uint64_t kMarkFlags = RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;

/// As decapsulate(), for a burst of frames whose marks all hold and whose headers have nothing unusual: no outer header
/// is compared or looked up. False, and nothing done but that marks are taken off and stale ones counted, for any
/// other.
[[nodiscard]] bool strip_marked(Batch& batch, const Snapshot& snapshot, const Batch::Column<const std::uint8_t*>& data,
                                WorkerCounters& counters) noexcept;

}  // namespace bulkhead
