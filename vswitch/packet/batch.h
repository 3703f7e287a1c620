// SPDX-License-Identifier: Apache-2.0
// Up to 64 frames of one receive queue on their way through the pipeline: a structure of arrays, one row a frame. Each
// stage reads what those before it wrote and skips frames that have a verdict.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/fdb/mac_table.h"

struct rte_mbuf;

namespace bulkhead {

struct Batch {
    static constexpr std::uint16_t kCapacity = 64;
    template <typename T>
    using Column = std::array<T, kCapacity>;

    /// `egress` of a frame for everybody else in its segment.
    static constexpr AttachmentIndex kFlood = kNoAttachment;

    PortIndex port = kNoPort;  ///< where all of them came in
    std::uint16_t count = 0;
    Column<rte_mbuf*> frames;

    Column<DropReason> verdict;         ///< none: still on its way
    Column<std::uint64_t> source;       ///< MAC as a number; set by parse
    Column<std::uint64_t> destination;  ///< MAC as a number; set by parse
    Column<std::uint16_t> ethertype;    ///< what follows the addresses; set by parse
    Column<AttachmentIndex> ingress;    ///< set by assign_segment; kNoAttachment before
    Column<SegmentIndex> segment;       ///< set by assign_segment
    Column<std::uint16_t> inner_vlan;   ///< tag left on the frame inside the segment, kUntagged if none
    Column<std::uint16_t> priority;     ///< PCP and DEI of the tag that was popped, in their place of the TCI
    Column<AttachmentIndex> egress;     ///< set by lookup

    /// Scratch of one stage: what it asks the MAC table, for which rows.
    struct Query {
        std::uint16_t count;
        Column<std::uint16_t> rows;
        Column<MacKey> keys;
        Column<MacValue> found;

        void ask(std::uint16_t row, MacKey key) noexcept {
            rows[count] = row;
            keys[count++] = key;
        }
    } query;

    static constexpr std::uint16_t kUntagged = 0xffff;

    void drop(std::uint16_t row, DropReason reason) noexcept { verdict[row] = reason; }
    [[nodiscard]] bool alive(std::uint16_t row) const noexcept { return verdict[row] == DropReason::none; }
};

}  // namespace bulkhead
