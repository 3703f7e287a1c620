// SPDX-License-Identifier: Apache-2.0
// Takes the headers of frames apart as far as policy asks. Whatever is in them: nothing is read beyond the frame, and
// what can't be told is said to be unreadable.
//
// Threads: any. Nothing here allocates.
#pragma once

#include <cstdint>
#include <span>

#include "vswitch/policy/flow.h"

namespace bulkhead {

/// What is looked at of a frame whose headers don't lie in one piece.
inline constexpr std::uint32_t kMostPolicyHeaders = 2048;

/// `frame` from its Ethernet header on; `length` is that of the whole frame, of which `frame` may be the beginning.
/// Its VLAN tags don't matter. All of `flow` but `segment` is set.
void dissect(std::span<const std::uint8_t> frame, std::uint32_t length, Flow& flow) noexcept;

/// The packet that an ICMP error is about, as its sender sent it: `flow` is the error's. Without one that names a
/// connection: its role is `unreadable`.
[[nodiscard]] Flow dissect_quoted(std::span<const std::uint8_t> frame, const Flow& flow) noexcept;

}  // namespace bulkhead
