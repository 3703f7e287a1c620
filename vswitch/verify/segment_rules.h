// SPDX-License-Identifier: Apache-2.0
// The rules of one segment, as they were written and as they are installed, with what is the same for all pairs of its
// attachments.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vswitch/model/model.h"
#include "vswitch/policy/rule_cells.h"
#include "vswitch/policy/segment_policy.h"
#include "vswitch/verify/frame_kinds.h"
#include "vswitch/verify/marks.h"

namespace bulkhead {

/// The fields behind a frame's kind, in the order in which they are cut.
enum class Slot : std::uint8_t {
    source_mac,
    destination_mac,
    source_v4,
    destination_v4,
    source_v6,
    destination_v6,
    source_port,
    service,
};
inline constexpr std::size_t kSlots = 8;
[[nodiscard]] constexpr std::size_t index_of(Slot slot) {
    return static_cast<std::size_t>(slot);
}
[[nodiscard]] constexpr bool is_source(Slot slot) {
    return slot == Slot::source_mac || slot == Slot::source_v4 || slot == Slot::source_v6 || slot == Slot::source_port;
}

struct SegmentRules {
    /// `in_force` is null where everything may pass.
    SegmentRules(const Model& intent, const std::string& segment, const SegmentPolicy* in_force);

    /// Kinds of frames, of one family and with the same further fields, that the same rules may decide about; and
    /// where none does, the same becomes of them.
    struct KindClass {
        std::vector<std::uint16_t> kinds;
        Marks written;
        RuleSetBits installed;
    };

    std::vector<const Policy*> written;  ///< in the order in which they are asked, those that wait included
    DefaultPolicy otherwise = DefaultPolicy::allow;
    const SegmentPolicy* installed;
    std::vector<FrameKind> kinds;
    std::vector<std::uint16_t> ethertypes;  ///< that rules of either side name
    std::vector<KindClass> kind_classes;
    std::array<std::vector<RuleCells::Piece>, kSlots> pieces;  ///< of the installed rules; none of MACs
    RuleCells::Macs source_macs, destination_macs;             ///< likewise
    bool asks_macs = false, asks_ips = false;                  ///< either side does

  private:
    void sort_kinds();
    [[nodiscard]] RuleSetBits installed_about(const FrameKind& kind) const;
};

}  // namespace bulkhead
