// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bulkhead {

/// The group of an attachment as rules see it; within one segment.
using GroupClass = std::uint16_t;
inline constexpr GroupClass kNoGroup = 0;
/// Of a receiver behind a tunnel, whose group this node does not know: rules with `to.groups` that would let the frame
/// into the tunnel match it, for its own node to decide; others with `to.groups` do not.
inline constexpr GroupClass kUnknownGroup = 1;

/// What a frame's ends are, beside what its headers say.
struct FlowEnds {
    GroupClass from = kNoGroup;
    GroupClass to = kNoGroup;
    std::uint64_t source_mac = 0;
    std::uint64_t destination_mac = 0;
};

}  // namespace bulkhead
