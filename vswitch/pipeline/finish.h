// SPDX-License-Identifier: Apache-2.0
// Does in software what a sender left for its device and the far side can't do: checksums (RFC 1071) and TCP
// segmentation.
#pragma once

#include <cstdint>

#include "vswitch/base/drop_reason.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// Whether the frame can go to a far side with these TransmitOffload bits as it is.
[[nodiscard]] bool fits(const rte_mbuf* frame, std::uint32_t offloads) noexcept;

/// Frames made of one: 64 KiB in segments of 128 bytes. What would become more is a `bad_offload`, so that one frame
/// costs a worker only so much.
inline constexpr std::uint16_t kMaxSegmentsOfFrame = 512;

struct Finished {
    std::uint16_t count = 0;  ///< frames in `out`; 0: dropped for `reason`
    DropReason reason = DropReason::none;
};

/// Takes `frame` and gives in `out` (room for kMaxSegmentsOfFrame) what goes to the far side. On a drop `frame` stays
/// the caller's.
[[nodiscard]] Finished finish(rte_mbuf* frame, std::uint32_t offloads, rte_mempool* buffers, rte_mbuf** out) noexcept;

}  // namespace bulkhead
