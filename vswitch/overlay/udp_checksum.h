// SPDX-License-Identifier: Apache-2.0
// The UDP checksum of a datagram as it lies in an mbuf, over several buffers if need be (RFC 768; RFC 8200, section
// 8.1).
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

/// Where the headers begin in the frame, and the datagram's length. Both headers lie in the first buffer.
struct UdpPlace {
    std::uint16_t ip = 0, udp = 0;
    std::uint32_t length = 0;
    bool is_v4 = true;
};

/// Whether the checksum there, which is not zero, is right.
[[nodiscard]] bool is_udp_checksum_good(const rte_mbuf* frame, const UdpPlace& place) noexcept;

/// Fills in the checksum, whose field is zero.
void fill_udp_checksum(rte_mbuf* frame, const UdpPlace& place) noexcept;

}  // namespace bulkhead
