// SPDX-License-Identifier: Apache-2.0
// The last stage of what leaves through a tunnel.
#pragma once

#include <cstdint>

#include "vswitch/overlay/entries.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// Whether an outer header can be written in front of every frame as it is, and none is longer than `longest`.
[[nodiscard]] bool all_have_room(rte_mbuf* const* frames, const std::uint32_t* lengths, std::uint16_t count,
                                 std::uint32_t longest) noexcept;

/// Makes sure that an outer header can be written in front of the frame, which is no longer than the tunnel's
/// longest_frame: in its own headroom, in a buffer before those that it shares with others, or, for a far side that
/// takes no chains, before a copy. False without a buffer: it is as it was.
[[nodiscard]] bool make_room(rte_mbuf*& frame, bool may_chain, rte_mempool* buffers) noexcept;

/// Puts the tunnel's header in front of each frame of one segment; all have room for it. `groups` are their senders',
/// and read where the tunnel tells them.
void encapsulate(const TunnelEntry& tunnel, std::uint64_t next_hop, std::uint32_t vni, rte_mbuf** frames,
                 const GroupId* groups, std::uint16_t count) noexcept;

}  // namespace bulkhead
