// SPDX-License-Identifier: Apache-2.0
#include "vswitch/security/check_station.h"

#include <algorithm>

#include "vswitch/packet/arp.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/ipv6_upper.h"
#include "vswitch/packet/link_header.h"

namespace bulkhead {
namespace {

using Octets = std::span<const std::uint8_t>;
using enum DropReason;

constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;  // RFC 2131, section 4.1
constexpr std::uint16_t kDhcpv6Client = 546;                 // RFC 8415, section 7.2
constexpr std::size_t kPorts = 4;                            // source and destination, of TCP and UDP alike

std::uint64_t mac_at(const std::uint8_t* at) noexcept {
    return MacAddress::from_octets(at).value();
}

// ---- ARP ----

/// An address that nobody has yet may be asked for, by who is to have it (RFC 5227, section 2.1.1); and a station may
/// ask for its own (RFC 903).
bool may_have_no_ip(const StationRules& rules, const ArpPacket& arp, bool is_reverse) noexcept {
    return is_reverse || (arp.operation.value() == kArpRequest &&
                          rules.owns_ipv4(load_big_endian<std::uint32_t>(arp.target_ip.data())));
}

DropReason check_arp(const StationRules& rules, Octets payload, bool is_reverse) noexcept {
    const auto arp = read_header<ArpPacket>(payload);
    if (!arp || arp->protocol_type.value() != kEtherTypeIpv4 || arp->hardware_length != 6 || arp->protocol_length != 4)
        return unreadable_headers;
    if (!rules.owns(mac_at(arp->sender_mac.data()))) return spoofed_arp;
    if (!rules.checks_ips()) return none;
    const auto sender = load_big_endian<std::uint32_t>(arp->sender_ip.data());
    if (sender == 0) return may_have_no_ip(rules, *arp, is_reverse) ? none : spoofed_arp;
    return rules.owns_ipv4(sender) ? none : spoofed_arp;
}

// ---- IPv4 ----

bool is_later_fragment(const Ipv4Header& ip) noexcept {
    return (ip.fragment.value() & kIpv4FragmentOffset) != 0;
}

/// 0.0.0.0: who asks for an address (RFC 2131, section 4.1), or joins groups before it has one (RFC 3376, section
/// 4.2.13).
bool may_have_no_ip(const Ipv4Header& ip, Octets upper) noexcept {
    if (ip.protocol == kProtocolIgmp) return true;
    return ip.protocol == kProtocolUdp && !is_later_fragment(ip) && upper.size() >= kPorts &&
           load_big_endian<std::uint16_t>(upper.data()) == kDhcpClient &&
           load_big_endian<std::uint16_t>(upper.data() + 2) == kDhcpServer;
}

/// Not by where it comes from: clients don't look at that.
DropReason check_dhcp(std::uint16_t client, Octets upper) noexcept {
    if (upper.size() < kPorts) return unreadable_headers;
    return load_big_endian<std::uint16_t>(upper.data() + 2) == client ? rogue_dhcp_server : none;
}

DropReason check_ipv4(const StationRules& rules, Octets packet) noexcept {
    const auto ip = read_header<Ipv4Header>(packet);
    if (!ip || ip->version_and_words >> 4 != 4) return unreadable_headers;
    const std::size_t header = 4UL * (ip->version_and_words & 15);
    const std::size_t end = std::min<std::size_t>(packet.size(), ip->total_length.value());  // what follows is padding
    if (header < sizeof *ip || header > end) return unreadable_headers;
    const Octets upper = packet.first(end).subspan(header);
    if (rules.checks_ips()) {
        constexpr std::uint32_t kFirstGroup = 0xe000'0000;  // and all above it is no station's either
        const auto source = load_big_endian<std::uint32_t>(ip->source.data());
        const bool is_own = source == 0 ? may_have_no_ip(*ip, upper) : rules.owns_ipv4(source) && source < kFirstGroup;
        if (!is_own) return spoofed_ip;
    }
    if (rules.forbids_dhcp_server() && ip->protocol == kProtocolUdp && !is_later_fragment(*ip))
        return check_dhcp(kDhcpClient, upper);
    return none;
}

// ---- IPv6 ----

/// Octets before the options of a Neighbor Discovery message (RFC 4861, section 4); 0: it is none.
std::size_t options_begin(std::uint8_t type) noexcept {
    switch (type) {
        case kIcmpv6RouterSolicitation:
            return 8;
        case kIcmpv6RouterAdvertisement:
            return 16;
        case kIcmpv6NeighborSolicitation:
        case kIcmpv6NeighborAdvertisement:
            return sizeof(NeighborMessageHeader);
        case kIcmpv6Redirect:
            return 40;
        default:
            return 0;
    }
}

/// Every one, since which of several a receiver takes is its own affair.
DropReason check_link_addresses(const StationRules& rules, Octets options) noexcept {
    while (!options.empty()) {
        if (options.size() < 2 || options[1] == 0) return unreadable_headers;
        const std::size_t length = static_cast<std::size_t>(options[1]) * kNdOptionUnit;
        if (length > options.size()) return unreadable_headers;
        if (options[0] == kNdOptionSourceMac || options[0] == kNdOptionTargetMac) {
            if (length != sizeof(NdMacOption) || !rules.owns(mac_at(&options[2]))) return spoofed_nd;
        }
        options = options.subspan(length);
    }
    return none;
}

/// `message` is the whole one, without padding.
DropReason check_neighbor_discovery(const StationRules& rules, bool has_no_ip, Octets message) noexcept {
    const std::uint8_t type = message[0];
    if (rules.forbids_router() && (type == kIcmpv6RouterAdvertisement || type == kIcmpv6Redirect)) return rogue_router;
    if (!rules.checks_macs()) return none;
    const std::size_t options = options_begin(type);
    if (message.size() < options) return unreadable_headers;
    const bool claims_target =
        type == kIcmpv6NeighborAdvertisement || (type == kIcmpv6NeighborSolicitation && has_no_ip);
    if (rules.checks_ips() && claims_target && !rules.owns_ipv6(&message[offsetof(NeighborMessageHeader, target)]))
        return spoofed_nd;
    return check_link_addresses(rules, message.subspan(options));
}

/// `::`: who looks whether its address is free (RFC 4862, section 5.4.2), looks for a router (RFC 4861, section 4.1) or
/// joins groups meanwhile (RFC 3590).
bool may_have_no_ip(std::uint8_t protocol, Octets upper) noexcept {
    if (protocol != kProtocolIcmpv6 || upper.empty()) return false;
    return upper[0] == kIcmpv6NeighborSolicitation || upper[0] == kIcmpv6RouterSolicitation ||
           upper[0] == kIcmpv6GroupReport || upper[0] == kIcmpv6GroupDone || upper[0] == kIcmpv6GroupReport2;
}

DropReason check_ipv6(const StationRules& rules, Octets packet) noexcept {
    const auto ip = read_header<Ipv6Header>(packet);
    if (!ip || ip->version_class_flow.value() >> 28 != 6) return unreadable_headers;
    const std::size_t end = sizeof *ip + ip->payload_length.value();  // what follows is padding
    const bool is_whole = end <= packet.size();
    if (is_whole) packet = packet.first(end);
    const auto found = find_ipv6_upper(packet);
    if (!found) return unreadable_headers;
    const Octets upper = found->is_later_fragment ? Octets() : packet.subspan(found->offset);
    const bool has_no_ip = std::ranges::all_of(ip->source, [](std::uint8_t octet) { return octet == 0; });
    if (rules.checks_ips()) {
        const bool is_group = ip->source[0] == 0xff;
        const bool is_own =
            has_no_ip ? may_have_no_ip(found->protocol, upper) : rules.owns_ipv6(ip->source.data()) && !is_group;
        if (!is_own) return spoofed_ip;
    }
    if (found->is_later_fragment) return none;
    if (rules.forbids_dhcp_server() && found->protocol == kProtocolUdp) return check_dhcp(kDhcpv6Client, upper);
    if (found->protocol != kProtocolIcmpv6 || !(rules.checks_macs() || rules.forbids_router())) return none;
    if (upper.empty()) return unreadable_headers;
    if (options_begin(upper[0]) == 0) return none;
    // RFC 6980, section 5: receivers are to ignore it. Some don't, and the rest of it would pass by us.
    if (found->is_fragment) return spoofed_nd;
    return is_whole ? check_neighbor_discovery(rules, has_no_ip, upper) : unreadable_headers;
}

// ---- the rest ----

/// IP behind an LLC header (RFC 1042) is IP, too, for those hosts that take it.
DropReason check_length_field(Octets payload) noexcept {
    constexpr std::uint8_t kSnap[] = {0xaa, 0xaa, 0x03};
    return payload.size() >= sizeof kSnap && std::ranges::equal(payload.first(sizeof kSnap), kSnap) ? unreadable_headers
                                                                                                    : none;
}

}  // namespace

DropReason check_station(const StationRules& rules, std::span<const std::uint8_t> frame) noexcept {
    constexpr std::uint16_t kFirstEtherType = 0x600;  // IEEE 802.3, clause 3.2.6: below it is a length
    const auto header = read_link_header(frame);
    if (!header) return unreadable_headers;
    if (rules.checks_macs() && !rules.owns(header->source.value())) return spoofed_mac;
    const Octets payload = frame.subspan(header->length);
    switch (header->ethertype) {
        case kEtherTypeIpv4:
            return rules.checks_ips() || rules.forbids_dhcp_server() ? check_ipv4(rules, payload) : none;
        case kEtherTypeIpv6:
            return check_ipv6(rules, payload);
        case kEtherTypeArp:
        case kEtherTypeReverseArp:
            return rules.checks_macs() ? check_arp(rules, payload, header->ethertype == kEtherTypeReverseArp) : none;
        default:
            return header->ethertype < kFirstEtherType ? check_length_field(payload) : none;
    }
}

}  // namespace bulkhead
