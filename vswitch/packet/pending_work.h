// SPDX-License-Identifier: Apache-2.0
// What a sender left for its device to do, as transmit flags of the mbuf (see port_io.h).
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

namespace bulkhead {

inline constexpr std::uint64_t kPendingWork = RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IP_CKSUM;

/// Work is pending, or the frame lies in several buffers: not every far side can take it as it is.
[[nodiscard]] inline bool is_demanding(const rte_mbuf* frame) noexcept {
    return (frame->ol_flags & kPendingWork) != 0 || frame->nb_segs > 1;
}

}  // namespace bulkhead
