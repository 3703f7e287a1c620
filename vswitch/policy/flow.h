// SPDX-License-Identifier: Apache-2.0
// What policy looks at of one frame.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/base/ids.h"

namespace bulkhead {

enum class FlowFamily : std::uint8_t {
    none,  ///< not IP
    ipv4,
    ipv6,
};

/// How a frame stands to connections; see docs/policy.md, "Stateful" and "Fragments".
enum class FlowRole : std::uint8_t {
    stateless,       ///< not IP: rules match it, state or not
    opener,          ///< of a connection, or the first frame of one
    follower,        ///< of a connection, or stray
    error,           ///< an ICMP error: related to a connection, or stray
    untracked,       ///< of none ever: stray
    resolution,      ///< ARP, or a whole message of Neighbor Discovery: passes unless a rule names it
    later_fragment,  ///< shares the verdict about the first one
    torn,            ///< a first fragment without a whole upper header, or a later one that would overwrite it
    unreadable,      ///< can't be judged
};

/// Of an address family's source or destination: both words as they stand in the packet, the first octet highest. An
/// IPv4 address is the second word.
using FlowAddress = std::array<std::uint64_t, 2>;

struct alignas(64) Flow {
    FlowAddress source{};
    FlowAddress destination{};
    // Of TCP, UDP and SCTP. Of an ICMP query its identifier is the port of who asks, its type that of who answers. Else
    // 0.
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    /// What rules' `dst_ports` and `icmp_types` are about: the destination port, or the ICMP type.
    std::uint16_t service = 0;
    static constexpr std::uint16_t kNoService = 0xffff;  ///< of protocols that have neither: ICMP's number in IPv6, say
    std::uint16_t ethertype = 0;                         ///< behind VLAN tags
    std::uint32_t sequence = 0;                          ///< TCP
    std::uint32_t end = 0;                               ///< TCP: the sequence number behind the segment
    SegmentIndex segment = kNoSegment;
    std::uint16_t upper = 0;  ///< where what the IP headers carry begins in the frame
    FlowFamily family = FlowFamily::none;
    FlowRole role = FlowRole::unreadable;
    std::uint8_t protocol = 0;
    std::uint8_t tcp_flags = 0;
    bool is_first_fragment = false;
    /// Of a fragment its identification, of a whole TCP segment its acknowledgment number.
    std::uint32_t identification_or_acknowledgment = 0;
};
static_assert(sizeof(Flow) == 64);

}  // namespace bulkhead
