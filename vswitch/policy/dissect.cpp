// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/dissect.h"

#include <algorithm>
#include <cstddef>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/ipv6_upper.h"
#include "vswitch/packet/link_header.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t kLeastQuoted = 8;

/// An upper-layer header: what there is of it, and how long all that belongs to it is by what the IP header says.
struct Upper {
    Octets octets;
    std::uint32_t length = 0;
    bool is_quoted = false;  ///< in an ICMP error: eight octets do (RFC 792)
};

void be_unreadable(Flow& flow) noexcept {
    flow.role = FlowRole::unreadable;
}

// ---- transport ----

void read_ports(const Upper& upper, std::size_t header, Flow& flow) noexcept {
    if (upper.octets.size() < (upper.is_quoted ? kLeastQuoted : header)) return be_unreadable(flow);
    flow.source_port = load_big_endian<std::uint16_t>(upper.octets.data());
    flow.destination_port = flow.service = load_big_endian<std::uint16_t>(upper.octets.data() + 2);
    flow.role = FlowRole::opener;
}

void read_tcp(const Upper& upper, Flow& flow) noexcept {
    read_ports(upper, kTcpHeader, flow);
    if (upper.is_quoted || flow.role == FlowRole::unreadable) return;
    const std::uint8_t* const tcp = upper.octets.data();
    const std::uint32_t header = 4U * (tcp[kTcpDataOffset] >> 4);
    if (header < kTcpHeader || header > upper.length) return be_unreadable(flow);
    flow.tcp_flags = tcp[kTcpFlags];
    flow.sequence = load_big_endian<std::uint32_t>(tcp + kTcpSequence);
    if (!flow.is_first_fragment)
        flow.identification_or_acknowledgment = load_big_endian<std::uint32_t>(tcp + kTcpAcknowledgment);
    flow.end = flow.sequence + (upper.length - header) + ((flow.tcp_flags & kTcpSyn) != 0 ? 1U : 0U) +
               ((flow.tcp_flags & kTcpFin) != 0 ? 1U : 0U);
    const bool opens = (flow.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
    flow.role = opens ? FlowRole::opener : FlowRole::follower;
    if (!are_valid_tcp_flags(flow.tcp_flags)) flow.role = FlowRole::untracked;
}

FlowRole role_of_icmp(std::uint8_t type) noexcept {
    constexpr std::uint8_t kSourceQuench = 4, kTimeExceeded = 11, kParameterProblem = 12, kTimestampReply = 14;
    switch (type) {
        case kIcmpEchoRequest:
        case kIcmpTimestamp:
            return FlowRole::opener;
        case kIcmpEchoReply:
        case kTimestampReply:
            return FlowRole::follower;
        case kIcmpUnreachable:
        case kSourceQuench:
        case kTimeExceeded:
        case kParameterProblem:
            return FlowRole::error;
        default:
            return FlowRole::untracked;
    }
}

FlowRole role_of_icmpv6(std::uint8_t type) noexcept {
    constexpr std::uint8_t kParameterProblem = 4;
    if (type == kIcmpv6EchoRequest) return FlowRole::opener;
    if (type == kIcmpv6EchoReply) return FlowRole::follower;
    return type >= 1 && type <= kParameterProblem ? FlowRole::error : FlowRole::untracked;
}

/// The type of what a reply answers.
std::uint8_t query_of(std::uint8_t reply) noexcept {
    if (reply == kIcmpEchoReply) return kIcmpEchoRequest;
    return reply == kIcmpv6EchoReply ? kIcmpv6EchoRequest : kIcmpTimestamp;
}

/// Type, code, checksum and the word behind them, which every message has (RFC 792; RFC 4443, section 2.1).
void read_icmp(const Upper& upper, bool is_v6, Flow& flow) noexcept {
    if (upper.octets.size() < sizeof(IcmpEchoHeader)) return be_unreadable(flow);
    const std::uint8_t type = upper.octets[0];
    flow.service = type;
    flow.role = is_v6 ? role_of_icmpv6(type) : role_of_icmp(type);
    // As if the query's identifier were the port of who asks, so that its connection is not that of the other's
    // queries.
    const auto identifier = load_big_endian<std::uint16_t>(&upper.octets[sizeof(IcmpHeader)]);
    if (flow.role == FlowRole::opener) {
        flow.source_port = identifier;
        flow.destination_port = type;
    } else if (flow.role == FlowRole::follower) {
        flow.source_port = query_of(type);
        flow.destination_port = identifier;
    }
}

void read_whole(const Upper& upper, Flow& flow) noexcept {
    constexpr std::size_t kSctpHeader = 12;  // RFC 9260, section 3
    const bool is_v6 = flow.family == FlowFamily::ipv6;
    if (flow.protocol == (is_v6 ? kProtocolIcmpv6 : kProtocolIcmp)) return read_icmp(upper, is_v6, flow);
    switch (flow.protocol) {
        case kProtocolTcp:
            return read_tcp(upper, flow);
        case kProtocolUdp:
            return read_ports(upper, kUdpHeader, flow);
        case kProtocolSctp:
            return read_ports(upper, kSctpHeader, flow);
        default:
            flow.role = FlowRole::opener;
            flow.service = Flow::kNoService;
    }
}

/// `flow` has its protocol, and says whether this is a first fragment.
void read_upper(const Upper& upper, Flow& flow) noexcept {
    read_whole(upper, flow);
    if (flow.is_first_fragment && flow.role == FlowRole::unreadable) flow.role = FlowRole::torn;
}

/// Where a later fragment of the protocol may begin at the earliest, so that it overwrites nothing that the first one
/// was judged by (RFC 1858, section 3.2; RFC 3128), in octets.
std::uint32_t least_offset(std::uint8_t protocol) noexcept {
    return protocol == kProtocolTcp ? kTcpHeader : kUdpHeader;
}

// ---- IPv4 ----

void read_ipv4(Octets frame, std::size_t at, std::uint32_t length, bool is_quoted, Flow& flow) noexcept {
    const Octets packet = frame.subspan(std::min(at, frame.size()));
    const auto ip = read_header<Ipv4Header>(packet);
    if (!ip || ip->version_and_words >> 4 != 4) return be_unreadable(flow);
    const std::size_t header = 4UL * (ip->version_and_words & 15);
    const std::uint32_t total = ip->total_length.value();
    if (header < sizeof *ip || header > packet.size() || header > total || at + total > length)
        return be_unreadable(flow);
    flow.family = FlowFamily::ipv4;
    flow.protocol = ip->protocol;
    flow.source[1] = load_big_endian<std::uint32_t>(ip->source.data());
    flow.destination[1] = load_big_endian<std::uint32_t>(ip->destination.data());
    flow.upper = static_cast<std::uint16_t>(at + header);
    const std::uint16_t fragment = ip->fragment.value();
    const std::uint32_t offset = 8U * (fragment & kIpv4FragmentOffset);
    if ((fragment & (kIpv4FragmentOffset | kIpv4MoreFragments)) != 0)
        flow.identification_or_acknowledgment = ip->identification.value();
    if (offset != 0) {
        flow.role = offset < least_offset(flow.protocol) ? FlowRole::torn : FlowRole::later_fragment;
        return;
    }
    flow.is_first_fragment = (fragment & kIpv4MoreFragments) != 0;
    read_upper({.octets = packet.first(std::min<std::size_t>(packet.size(), total)).subspan(header),
                .length = static_cast<std::uint32_t>(total - header),
                .is_quoted = is_quoted},
               flow);
}

// ---- IPv6 ----

bool is_neighbor_discovery(const Ipv6Header& ip, const Ipv6Upper& found, Octets upper) noexcept {
    return found.protocol == kProtocolIcmpv6 && !found.is_fragment && ip.hop_limit == kNeighborHopLimit &&
           upper.size() >= sizeof(IcmpEchoHeader) && upper[1] == 0 && upper[0] >= kIcmpv6RouterSolicitation &&
           upper[0] <= kIcmpv6Redirect;
}

void read_ipv6(Octets frame, std::size_t at, std::uint32_t length, bool is_quoted, Flow& flow) noexcept {
    Octets packet = frame.subspan(std::min(at, frame.size()));
    const auto ip = read_header<Ipv6Header>(packet);
    if (!ip || ip->version_class_flow.value() >> 28 != 6) return be_unreadable(flow);
    const std::uint32_t total = kIpv6Header + ip->payload_length.value();
    if (at + total > length) return be_unreadable(flow);
    packet = packet.first(std::min<std::size_t>(packet.size(), total));
    const auto found = find_ipv6_upper(packet);
    if (!found) return be_unreadable(flow);
    flow.family = FlowFamily::ipv6;
    flow.protocol = found->protocol;
    for (std::size_t word = 0; word < 2; ++word) {
        flow.source[word] = load_big_endian<std::uint64_t>(ip->source.data() + 8 * word);
        flow.destination[word] = load_big_endian<std::uint64_t>(ip->destination.data() + 8 * word);
    }
    flow.upper = static_cast<std::uint16_t>(at + found->offset);
    if (found->is_fragment) flow.identification_or_acknowledgment = found->fragment;
    if (found->is_later_fragment) {
        flow.role = found->fragment_offset < least_offset(flow.protocol) ? FlowRole::torn : FlowRole::later_fragment;
        return;
    }
    flow.is_first_fragment = found->is_fragment && found->has_more_fragments;
    const Octets upper = packet.subspan(found->offset);
    read_upper({.octets = upper, .length = static_cast<std::uint32_t>(total - found->offset), .is_quoted = is_quoted},
               flow);
    if (flow.role != FlowRole::unreadable && is_neighbor_discovery(*ip, *found, upper))
        flow.role = FlowRole::resolution;
}

}  // namespace

void dissect(std::span<const std::uint8_t> frame, std::uint32_t length, Flow& flow) noexcept {
    const SegmentIndex segment = flow.segment;
    flow = {};
    flow.segment = segment;
    const auto header = read_link_header(frame);
    if (!header) return;
    flow.ethertype = header->ethertype;
    flow.role = FlowRole::stateless;
    if (header->ethertype == kEtherTypeIpv4) return read_ipv4(frame, header->length, length, false, flow);
    if (header->ethertype == kEtherTypeIpv6) return read_ipv6(frame, header->length, length, false, flow);
    if (header->ethertype == kEtherTypeArp) flow.role = FlowRole::resolution;
}

Flow dissect_quoted(std::span<const std::uint8_t> frame, const Flow& flow) noexcept {
    Flow quoted;
    quoted.segment = flow.segment;
    const std::size_t at = flow.upper + sizeof(IcmpEchoHeader);
    if (at >= frame.size()) return quoted;
    // What is quoted is cut off: its lengths say more than there is.
    constexpr std::uint32_t kWhatever = UINT32_MAX;
    if (flow.family == FlowFamily::ipv4)
        read_ipv4(frame, at, kWhatever, true, quoted);
    else
        read_ipv6(frame, at, kWhatever, true, quoted);
    return quoted;
}

}  // namespace bulkhead
