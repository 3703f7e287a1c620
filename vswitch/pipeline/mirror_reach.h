// SPDX-License-Identifier: Apache-2.0
// What rules that mirror say of one frame. The stage and explanations ask the same function.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <span>

#include "vswitch/mirror/mirror_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead {

/// Which of its segment's rules match a frame that look-up has found receivers for; bit by bit. `scratch` is for
/// headers that do not lie in one piece.
[[nodiscard]] std::uint64_t matching_mirrors(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                             const SegmentMirrors& mirrors,
                                             std::span<std::uint8_t, kMostPolicyHeaders> scratch) noexcept;

}  // namespace bulkhead
