// SPDX-License-Identifier: Apache-2.0
// What of an underlay's NIC is for the host TAP: all that is addressed to the NIC and is not the switch's own.
#pragma once

#include <cstdint>

#include "vswitch/overlay/entries.h"
#include "vswitch/overlay/outer_parse.h"

struct rte_mbuf;

namespace bulkhead {

enum class HostShare : std::uint8_t {
    none,   ///< the switch's alone, if only to be dropped
    alone,  ///< the switch has no use for it
    copy,   ///< both have: what is said to a group, and answers of ARP and Neighbor Discovery
};

/// `outer` is what parse_outer() says of the frame. Two hosts share a link and a MAC here: which of them an answer to a
/// question is for can't be told (the link-local address is of both), so both get it.
[[nodiscard]] HostShare host_share(const rte_mbuf* frame, const UnderlayEntry& underlay, const Outer& outer) noexcept;

}  // namespace bulkhead
