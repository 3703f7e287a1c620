// SPDX-License-Identifier: Apache-2.0
// The usual packet, read in brief: IPv4 without options and whole, TCP or UDP. What is of another kind is dissected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vswitch/packet/batch.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/tcp.h"
#include "vswitch/policy/connection_key.h"

namespace bulkhead {

/// One packet, as it stands.
struct Brief {
    std::uint64_t addresses = 0;  ///< source in the upper half
    std::uint32_t ports = 0;      ///< likewise
    std::uint32_t end = 0;        ///< TCP: the sequence number behind the segment
    std::uint8_t protocol = 0;
    std::uint8_t tcp_flags = 0;
    bool is_usual = false;

    [[nodiscard]] std::uint32_t source() const noexcept { return static_cast<std::uint32_t>(addresses >> 32); }
    [[nodiscard]] std::uint32_t destination() const noexcept { return static_cast<std::uint32_t>(addresses); }
    [[nodiscard]] std::uint16_t source_port() const noexcept { return static_cast<std::uint16_t>(ports >> 16); }
    [[nodiscard]] std::uint16_t destination_port() const noexcept { return static_cast<std::uint16_t>(ports); }
    /// A segment that opens and ends nothing.
    [[nodiscard]] bool only_carries_on() const noexcept {
        return (tcp_flags & (kTcpSyn | kTcpFin | kTcpRst | kTcpAck)) == kTcpAck;
    }
};

/// `frame` has at least kBriefOctets octets of its `length`, and no VLAN tag. Which protocol it is no branch asks: that
/// changes from frame to frame.
inline constexpr std::uint32_t kBriefOctets = kEthernetHeader + kIpv4Header + kTcpHeader;
[[nodiscard]] inline Brief read_brief(const std::uint8_t* frame, std::uint32_t length,
                                      std::uint16_t ethertype) noexcept {
    const std::uint8_t* const ip = frame + kEthernetHeader;
    const std::uint8_t* const upper = ip + kIpv4Header;
    // Version and header length, DSCP, total length, identification, flags and offset.
    const auto start = load_big_endian<std::uint64_t>(ip);
    const auto total = static_cast<std::uint32_t>(start >> 32 & 0xffff);
    const std::uint8_t protocol = ip[offsetof(Ipv4Header, protocol)];
    const bool is_tcp = protocol == kProtocolTcp;
    const std::uint32_t least = is_tcp ? kTcpHeader : kUdpHeader;
    const std::uint32_t header = is_tcp ? 4U * (upper[kTcpDataOffset] >> 4) : kUdpHeader;
    const std::uint8_t flags = upper[kTcpFlags];
    Brief brief{.addresses = load_big_endian<std::uint64_t>(ip + offsetof(Ipv4Header, source)),
                .ports = load_big_endian<std::uint32_t>(upper),
                .protocol = protocol,
                .tcp_flags = is_tcp ? flags : std::uint8_t{0}};
    brief.end = load_big_endian<std::uint32_t>(upper + kTcpSequence) + (total - kIpv4Header - header);
    constexpr std::uint64_t kStart = 0xff00'0000'0000'0000 | kIpv4MoreFragments | kIpv4FragmentOffset;
    const bool is_known = is_tcp | (protocol == kProtocolUdp);
    brief.is_usual = ethertype == kEtherTypeIpv4 && (start & kStart) == 0x4500'0000'0000'0000 && is_known &&
                     header >= least && total >= kIpv4Header + header && total + kEthernetHeader <= length;
    return brief;
}

/// The two words of connection_key() that are not 0, of such a packet.
struct BriefKey {
    std::uint64_t addresses = 0;
    std::uint64_t rest = 0;
    bool from_low = false;
};
[[nodiscard]] inline BriefKey brief_key(const Brief& brief, SegmentIndex segment) noexcept {
    const std::uint64_t source = std::uint64_t{brief.source()} << 16 | brief.source_port();
    const std::uint64_t destination = std::uint64_t{brief.destination()} << 16 | brief.destination_port();
    const bool from_low = source < destination;
    const std::uint64_t low = from_low ? source : destination, high = from_low ? destination : source;
    return {.addresses = low >> 16 << 32 | high >> 16,
            .rest = low << 48 | (high & 0xffff) << 32 | static_cast<std::uint64_t>(segment) << 16 |
                    static_cast<std::uint64_t>(brief.protocol) << 8 | static_cast<std::uint8_t>(FlowFamily::ipv4),
            .from_low = from_low};
}

}  // namespace bulkhead
