// SPDX-License-Identifier: Apache-2.0
// What a NIC writes beside a frame that one of our rules matched (rte_flow's MARK): which of a tunnel's attachments the
// frame came by. It outlives the rule by as long as the frame waits in a receive ring, so a mark says which use of its
// slot it means: a generation is seen again only after 254 uses of the slot. Each of them ends with a wait for every
// worker, which has polled all its rings by then, so none has such an old frame. And a worker checks the VNI.
#pragma once

#include <cstdint>

#include "vswitch/base/ids.h"
#include "vswitch/overlay/sender_group.h"

namespace bulkhead {

/// Generation (8 bits) | slot (16 bits): NICs have room for some 24 (mlx5: less than 0xfffff0).
using FlowMark = std::uint32_t;
inline constexpr FlowMark kNoMark = 0;

/// Generations go from 1 to this one and begin again.
inline constexpr std::uint8_t kLastMarkGeneration = 254;
[[nodiscard]] constexpr std::uint8_t generation_after(std::uint8_t generation) noexcept {
    return generation >= kLastMarkGeneration ? std::uint8_t{1} : static_cast<std::uint8_t>(generation + 1);
}

[[nodiscard]] constexpr FlowMark flow_mark(std::uint8_t generation, AttachmentIndex slot) noexcept {
    return static_cast<FlowMark>(generation) << 16 | slot;
}
[[nodiscard]] constexpr AttachmentIndex slot_of(FlowMark mark) noexcept {
    return static_cast<AttachmentIndex>(mark & 0xffff);
}

/// What frames with a mark look like, whose outer header need not be read to know their attachment. Those that look
/// otherwise (options, a UDP checksum, a congestion mark) are read as if they had none.
struct MarkEntry {
    static constexpr std::uint16_t kNowhere = 0xffff;
    FlowMark mark = kNoMark;      ///< kNoMark: the attachment has none
    std::uint16_t ip = kNowhere;  ///< where the outer IPv4 header begins
    GroupField group_field = GroupField::none;
    /// VXLAN's or Geneve's header as it stands in memory, and which of its bits count: the VNI, and that nothing
    /// unknown is said.
    std::uint64_t shim = 0, shim_mask = 0;
};

}  // namespace bulkhead
