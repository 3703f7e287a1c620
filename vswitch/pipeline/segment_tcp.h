// SPDX-License-Identifier: Apache-2.0
// TCP segmentation in software: librte_gso over IPv4; over IPv6, which librte_gso 22.11 does not know, code of ours.
#pragma once

#include "vswitch/pipeline/finish.h"

namespace bulkhead {

/// Cuts a super-segment (RTE_MBUF_F_TX_TCP_SEG, sound header lengths) into `out`. Every segment has its IP length, IPv4
/// identification and header checksum, TCP sequence and flags, and the pseudo-header sum in the checksum field with
/// RTE_MBUF_F_TX_TCP_CKSUM pending. `frame` stays the caller's.
[[nodiscard]] Finished segment_tcp(rte_mbuf* frame, rte_mempool* buffers, rte_mbuf** out) noexcept;

}  // namespace bulkhead
