// SPDX-License-Identifier: Apache-2.0
// Congestion marks of tunnelled packets (RFC 6040).
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

inline constexpr std::uint8_t kEcnMask = 3;
inline constexpr std::uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCongested = 3;

/// DSCP and ECN of the packet inside a frame, in their place of the TOS octet; 0 where there is no IP. `length` is how
/// much of the frame lies at `data`, at least an Ethernet header.
[[nodiscard]] std::uint8_t traffic_class_of(const std::uint8_t* data, std::uint32_t length) noexcept;

/// Passes the outer header's mark on to the packet inside (RFC 6040, section 4.2). The frame is writable. False: the
/// packet can't carry it and is to be dropped.
[[nodiscard]] bool pass_on_ecn(std::uint8_t outer, rte_mbuf* frame) noexcept;

}  // namespace bulkhead
