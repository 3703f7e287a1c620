// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

/// Bytes from the start of the frame to the end of the headers that its transmit flags (port_io.h) speak of. Whoever
/// does that work reads these, and changes them.
[[nodiscard]] std::uint16_t offload_header_length(const rte_mbuf* frame) noexcept;

}  // namespace bulkhead
