// SPDX-License-Identifier: Apache-2.0
// The kinds of frames that rules can tell apart before they look at addresses and ports: by EtherType, protocol, ICMP
// type, and whether a frame opens a connection or is stray.
#pragma once

#include <cstdint>
#include <vector>

#include "vswitch/explain/flow_fields.h"
#include "vswitch/policy/flow.h"

namespace bulkhead {

struct FrameKind {
    FlowFields fields;                ///< of the least frame of this kind
    Flow flow;                        ///< that frame's
    bool is_plain_discovery = false;  ///< a message of Neighbor Discovery that is none: its hop limit is not 255

    [[nodiscard]] FlowFamily family() const { return flow.family; }
    [[nodiscard]] bool is_resolution() const { return flow.role == FlowRole::resolution; }
    [[nodiscard]] bool opens() const { return flow.role == FlowRole::opener || flow.role == FlowRole::stateless; }
    [[nodiscard]] bool has_ports() const;
    [[nodiscard]] bool has_icmp_type() const;  ///< and is of a kind of its own for each
};

/// Every frame is of one of these, but those that can't be judged (docs/policy.md, "Fragments"). `ethertypes` are those
/// that rules name. The usual ones go first.
[[nodiscard]] std::vector<FrameKind> frame_kinds(const std::vector<std::uint16_t>& ethertypes);

/// A frame of this kind, as policy sees it. All other fields of `fields` are the caller's.
[[nodiscard]] Flow flow_of(const FrameKind& kind, const FlowFields& fields);

/// Of all kinds, the EtherType that stands for those that no rule names.
[[nodiscard]] std::uint16_t other_ethertype(const std::vector<std::uint16_t>& ethertypes);

}  // namespace bulkhead
