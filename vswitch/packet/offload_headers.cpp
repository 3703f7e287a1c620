// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/offload_headers.h"

#include <algorithm>

#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

namespace bulkhead {

std::uint16_t offload_header_length(const rte_mbuf* frame) noexcept {
    const bool segments = (frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
    const std::uint64_t l4_type = frame->ol_flags & RTE_MBUF_F_TX_L4_MASK;
    std::uint16_t l4 = 0;  // a frame without segmentation need not say l4_len
    if (l4_type == RTE_MBUF_F_TX_UDP_CKSUM)
        l4 = sizeof(rte_udp_hdr);
    else if (segments || l4_type == RTE_MBUF_F_TX_TCP_CKSUM)
        l4 = sizeof(rte_tcp_hdr);
    if (segments) l4 = std::max<std::uint16_t>(l4, frame->l4_len);
    return static_cast<std::uint16_t>(frame->l2_len + frame->l3_len + l4);
}

}  // namespace bulkhead
