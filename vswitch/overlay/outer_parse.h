// SPDX-License-Identifier: Apache-2.0
// Reads the outer header of one frame that came in on an underlay, trusting nothing of it.
#pragma once

#include <cstdint>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/overlay/entries.h"

struct rte_mbuf;

namespace bulkhead {

struct Outer {
    enum class Kind : std::uint8_t {
        tunnelled,  ///< `attachment`, `udp_port`, and all below hold
        for_node,   ///< ARP, ICMP, ICMPv6, or a tunnel's keepalive: for whoever speaks for this node
        dropped,    ///< for `reason`
    };
    Kind kind = Kind::dropped;
    DropReason reason = DropReason::bad_outer;
    AttachmentIndex attachment = kNoAttachment;
    std::uint16_t udp_port = 0;       ///< where it goes
    std::uint16_t header_length = 0;  ///< what stands before the inner frame
    std::uint32_t frame_length = 0;   ///< of the inner frame; what the link padded is not of it
    std::uint8_t ecn = 0;
    GroupField group_field = GroupField::none;  ///< where it could say its sender's group
    GroupId group = kNoGroupId;                 ///< what it says there, believed or not
    /// IPv4 without options and UDP checksum, of Geneve's options none but the group, no mark.
    bool is_plain = false;
};

[[nodiscard]] Outer parse_outer(const rte_mbuf* frame, const UnderlayEntry& underlay) noexcept;

}  // namespace bulkhead
