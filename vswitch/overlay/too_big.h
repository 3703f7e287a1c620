// SPDX-License-Identifier: Apache-2.0
// What a source is told of its packet that the path can't carry: ICMP fragmentation needed (RFC 792, RFC 1191) and
// ICMPv6 Packet Too Big (RFC 4443, section 3.2), as if from the packet's destination.
//
// Threads: any. Nothing here allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vswitch/packet/link_header.h"

namespace bulkhead {

/// How much of a frame is worth reading here: its headers and the longest quotation.
inline constexpr std::size_t kReadOfTooBig = LinkHeader::kMost + 1280;

struct TooBigAnswer {
    LinkHeader asked;           ///< of the frame that is answered
    std::size_t addresses = 0;  ///< octets up to the end of the IP addresses: alike for the packets of two nodes
    std::size_t length = 0;     ///< octets of the IP packet that answers
    std::array<std::uint8_t, 1280> packet;
};

/// `frame` is the first kReadOfTooBig octets of a frame of `length`, or all of it; `longest_frame` is what fits, and
/// `longest_packet` the most that the source's own link takes. None for what must not be answered (RFC 1122, section
/// 3.2.2; RFC 4443, section 2.4): of or to a group, a later fragment, an ICMP error or redirect, an IPv4 packet that
/// may be fragmented; nor for what is no sound IP packet, or is not itself too long.
[[nodiscard]] std::optional<TooBigAnswer> answer_too_big(std::span<const std::uint8_t> frame, std::uint32_t length,
                                                         std::uint32_t longest_frame,
                                                         std::uint16_t longest_packet) noexcept;

}  // namespace bulkhead
