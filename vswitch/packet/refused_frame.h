// SPDX-License-Identifier: Apache-2.0
// Frames that a port would not vouch for. A port drops nothing by itself, or nobody could say where the frame stayed:
// it hands it up with this mark, and parse() drops it as `bad_offload`, in the books of its port.
#pragma once

#include <rte_mbuf.h>

namespace bulkhead {

/// The request that came with the frame does not fit it. The mark is a receive flag, which no other frame has here
/// (port_io.h), and an empty first segment, so that parse() need not look at the flags of whole frames.
inline void mark_refused(rte_mbuf& frame) noexcept {
    frame.ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
    frame.data_len = 0;
}

[[nodiscard]] inline bool is_refused(const rte_mbuf& frame) noexcept {
    return frame.data_len == 0 && (frame.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD;
}

}  // namespace bulkhead
