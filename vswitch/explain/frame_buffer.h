// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// Gives back the buffers of a batch's only frame, whatever stages have made of it.
struct FrameReturn {
    void operator()(rte_mbuf* frame) const noexcept;
};
using FrameBuffer = std::unique_ptr<rte_mbuf, FrameReturn>;

/// A frame in buffers of the pool, as many as it needs, with a C-tag after its addresses if there is a VLAN (a frame
/// that is too short for one gets none). Null when there are not enough.
[[nodiscard]] FrameBuffer make_frame(std::span<const std::uint8_t> octets, std::optional<std::uint16_t> vlan,
                                     rte_mempool* buffers);

}  // namespace bulkhead
