// SPDX-License-Identifier: Apache-2.0
// Up to 64 frames of one receive queue on their way through the pipeline: a structure of arrays, one row a frame. Each
// stage reads what those before it wrote and skips frames that have a verdict.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/fdb/mac_entry.h"
#include "vswitch/policy/flow_ends.h"

struct rte_mbuf;

namespace bulkhead {

struct Batch {
    static constexpr std::uint16_t kCapacity = 64;
    template <typename T>
    using Column = std::array<T, kCapacity>;

    /// `egress` of a frame for everybody else in its segment.
    static constexpr AttachmentIndex kFlood = kNoAttachment;

    PortIndex port = kNoPort;      ///< where all of them came in
    bool is_decapsulated = false;  ///< out of tunnels: every frame has its `ingress` since decapsulate
    std::uint16_t count = 0;
    Column<rte_mbuf*> frames;

    // The burst as a whole, so that a stage can take the short way when all frames are alike. Most bursts are.
    bool intact = true;                          ///< no frame has a verdict
    bool has_tags = false;                       ///< some frame came with a VLAN tag; set by parse
    bool is_demanding = false;                   ///< some frame is, see pending_work.h; set by parse
    std::uint32_t longest = 0;                   ///< length of the longest frame; set by parse
    AttachmentIndex attachment = kNoAttachment;  ///< `ingress` of every frame, if intact and all the same
    bool has_outer_tags = false;                 ///< every frame still has the tag that chose its attachment, see `tag`
    bool has_inner_tags = false;                 ///< some frame has a tag left inside its segment
    bool leaves_as_is = false;                   ///< every frame is unicast and has just the tag that its egress wants

    Column<DropReason> verdict;    ///< none: still on its way
    Column<std::uint32_t> length;  ///< as it stands in its segment, so less by `tag` than on the wire; set by parse
    Column<std::uint64_t> source;  ///< MAC as a number; set by parse
    Column<std::uint64_t> destination;  ///< MAC as a number; set by parse
    Column<std::uint16_t> ethertype;    ///< what follows the addresses; set by parse
    Column<AttachmentIndex> ingress;    ///< set by assign_segment, or by decapsulate
    Column<SegmentIndex> segment;       ///< set by assign_segment
    /// VID of the tag that chose the attachment, where it is still on the frame: every stage looks past it, and it is
    /// only taken off where the frame leaves without it. 0: none.
    Column<std::uint16_t> tag;
    Column<std::uint16_t> inner_vlan;  ///< tag left on the frame inside the segment, kUntagged if none
    Column<std::uint16_t> priority;    ///< PCP and DEI of the tag that chose the attachment, in their place of the TCI
    Column<AttachmentIndex> egress;    ///< set by lookup
    /// Of the frame's sender, where it is known and tunnels tell it: set by decapsulate and identify_senders. Without
    /// meaning unless Snapshot::exchanges_groups.
    Column<GroupId> group;
    Column<GroupClass> group_class;  ///< the same as rules see it, of frames out of tunnels; set by identify_senders

    // What the MAC table says of the frame's two addresses; set by find_macs. Without meaning for frames with a
    // verdict.
    alignas(64) std::array<MacKey, 2UL * kCapacity> keys;
    std::array<MacValue, 2UL * kCapacity> found;
    [[nodiscard]] MacKey source_key(std::uint16_t row) const noexcept { return keys[row]; }
    [[nodiscard]] MacValue source_entry(std::uint16_t row) const noexcept { return found[row]; }
    [[nodiscard]] MacValue destination_entry(std::uint16_t row) const noexcept { return found[count + row]; }

    static constexpr std::uint16_t kUntagged = 0xffff;

    void drop(std::uint16_t row, DropReason reason) noexcept {
        verdict[row] = reason;
        intact = false;
    }
    [[nodiscard]] bool alive(std::uint16_t row) const noexcept { return verdict[row] == DropReason::none; }
};

}  // namespace bulkhead
