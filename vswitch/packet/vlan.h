// SPDX-License-Identifier: Apache-2.0
// Pushing and popping the outer VLAN tag of a frame. `tci` is the tag control information (IEEE 802.1Q-2018, 9.6): PCP
// 3, DEI 1, VID 12.
#pragma once

#include <cstdint>

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// Whether the frame's first bytes are this mbuf's alone, so that they may be changed.
[[nodiscard]] bool is_writable(const rte_mbuf* frame) noexcept;

/// Makes the frame writable, by a copy that takes its place where others share it. False without a buffer: it is as it
/// was.
[[nodiscard]] bool make_writable(rte_mbuf*& frame, rte_mempool* buffers) noexcept;

/// Removes the tag after the addresses. The frame is writable and has one.
void pop_vlan(rte_mbuf* frame) noexcept;

/// Inserts a C-tag after the addresses. False when the frame is not writable or has no headroom: use tagged_copy().
[[nodiscard]] bool push_vlan(rte_mbuf* frame, std::uint16_t tci) noexcept;

/// A frame with a header of its own (addresses, C-tag, and the headers that pending work speaks of) and the payload
/// shared with `frame`, which stays as it is. Null when there is no buffer.
[[nodiscard]] rte_mbuf* tagged_copy(rte_mbuf* frame, std::uint16_t tci, rte_mempool* buffers) noexcept;

}  // namespace bulkhead
