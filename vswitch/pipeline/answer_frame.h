// SPDX-License-Identifier: Apache-2.0
// A frame that the switch itself says into a segment.
#pragma once

#include <cstdint>
#include <span>

#include "vswitch/base/mac_address.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// `asked` is the Ethernet header that is answered, from its addresses to its EtherType: the answer has the same tags.
/// Padded to the least length. Null without a buffer, or one that is too small.
[[nodiscard]] rte_mbuf* answer_frame(std::span<const std::uint8_t> asked, MacAddress destination, MacAddress source,
                                     std::span<const std::uint8_t> payload, rte_mempool* buffers) noexcept;

}  // namespace bulkhead
