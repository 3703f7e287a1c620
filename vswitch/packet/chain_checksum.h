// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071) of octets that may lie in several buffers. rte_raw_cksum_mbuf() of DPDK 22.11 loses
// a carry when a buffer behind an odd number of octets has one, as a guest or a hostile node can arrange.
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

/// The sum (not complemented, in memory order) of `length` octets from `offset` on into `sum`; false if the frame is
/// shorter.
[[nodiscard]] bool chain_checksum(const rte_mbuf* frame, std::uint32_t offset, std::uint32_t length,
                                  std::uint16_t& sum) noexcept;

}  // namespace bulkhead
