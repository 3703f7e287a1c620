// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/too_big.h"

#include <algorithm>

#include "vswitch/base/ip_address.h"
#include "vswitch/packet/checksum.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

constexpr std::size_t kLongestIpv4 = 576;   ///< RFC 1812, section 4.3.2.3
constexpr std::size_t kLongestIpv6 = 1280;  ///< RFC 4443, section 3.2
constexpr std::uint8_t kTtl = 64;
constexpr std::uint8_t kInternetControl = 0xc0;  ///< the precedence of an error (RFC 1812, section 4.3.2.5)

using Octets = std::span<const std::uint8_t>;

/// The packet that does not fit: as much of it as was read, and how long it is as a whole.
struct Packet {
    Octets octets;
    std::uint32_t available = 0;  ///< octets that the frame has for it
    std::uint32_t mtu = 0;        ///< what would have fitted
};

/// Neither query nor reply of RFC 792, RFC 950, RFC 1256 and RFC 8335: an error, or nobody knows what.
bool is_icmp_query(std::uint8_t type) noexcept {
    constexpr std::uint8_t kQueries[] = {kIcmpEchoReply, kIcmpEchoRequest, 9, 10, 13, 14, 15, 16, 17, 18, 42, 43};
    return std::ranges::find(kQueries, type) != std::end(kQueries);
}

std::optional<Ipv4Header> answerable_ipv4(const Packet& packet) noexcept {
    const auto header = read_header<Ipv4Header>(packet.octets);
    if (!header || header->version_and_words >> 4 != 4) return std::nullopt;
    const std::size_t header_length = 4UL * (header->version_and_words & 15);
    const std::uint16_t total = header->total_length.value(), fragment = header->fragment.value();
    if (header_length < sizeof *header || header_length > packet.octets.size() || total < header_length) return {};
    if (total > packet.available || total <= packet.mtu) return std::nullopt;
    if (internet_checksum(packet.octets.first(header_length)) != 0) return std::nullopt;
    if ((fragment & kIpv4DontFragment) == 0 || (fragment & kIpv4FragmentOffset) != 0) return std::nullopt;
    if (!IpAddress::from_v4(header->source.data()).is_usable() ||
        !IpAddress::from_v4(header->destination.data()).is_usable())
        return std::nullopt;
    if (header->protocol != kProtocolIcmp) return header;
    const Octets message = packet.octets.subspan(header_length);
    return !message.empty() && is_icmp_query(message[0]) ? header : std::nullopt;
}

/// Whether the headers behind the IPv6 header say that it may be answered (RFC 8200, section 4).
bool is_answerable(std::uint8_t next_header, Octets rest) noexcept {
    constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kDestination = 60;
    constexpr std::uint16_t kOffset = 0xfff8;
    for (;;) {
        if (next_header == kProtocolIcmpv6)
            return !rest.empty() && rest[0] >= kIcmpv6FirstInformational && rest[0] != kIcmpv6Redirect;
        const bool is_fragment = next_header == kFragment, is_authentication = next_header == kAuthentication;
        const bool has_length = next_header == kHopByHop || next_header == kRouting || next_header == kDestination;
        if (!has_length && !is_fragment && !is_authentication) return true;
        if (rest.size() < 8) return false;
        if (is_fragment && (load_big_endian<std::uint16_t>(&rest[2]) & kOffset) != 0) return false;
        // In units of 8 octets beyond the first, or of 4 beyond the first two (RFC 4302, section 2.2).
        const std::size_t length = is_fragment ? 8 : is_authentication ? 4UL * (rest[1] + 2) : 8UL * (rest[1] + 1);
        if (length > rest.size()) return false;
        next_header = rest[0];
        rest = rest.subspan(length);
    }
}

std::optional<Ipv6Header> answerable_ipv6(const Packet& packet) noexcept {
    const auto header = read_header<Ipv6Header>(packet.octets);
    if (!header || header->version_class_flow.value() >> 28 != 6) return std::nullopt;
    const std::uint32_t total = std::uint32_t{sizeof *header} + header->payload_length.value();
    if (total > packet.available || total <= packet.mtu) return std::nullopt;
    for (const auto& octets : {header->source, header->destination}) {
        const IpAddress address(octets);
        if (address.is_v4() || !address.is_usable()) return std::nullopt;
    }
    return is_answerable(header->next_header, packet.octets.subspan(sizeof *header)) ? header : std::nullopt;
}

/// Writes IP header, ICMP header and as much of the packet as there is room for; the ICMP checksum is still 0. Returns
/// the ICMP message.
template <typename IpHeader>
std::span<std::uint8_t> write(TooBigAnswer& answer, const IpHeader& ip, const IcmpTooBigHeader& icmp,
                              Octets quoted) noexcept {
    auto at = std::ranges::copy(header_octets(ip), answer.packet.begin()).out;
    at = std::ranges::copy(header_octets(icmp), at).out;
    std::ranges::copy(quoted, at);
    answer.length = sizeof ip + sizeof icmp + quoted.size();
    answer.addresses = sizeof ip;
    return std::span(answer.packet).first(answer.length).subspan(sizeof ip);
}

void put_checksum(std::span<std::uint8_t> message, std::uint16_t checksum) noexcept {
    store_big_endian16(&message[offsetof(IcmpHeader, checksum)], checksum);
}

Octets quotation(const Packet& packet, std::size_t total, std::size_t room) noexcept {
    return packet.octets.first(std::min({packet.octets.size(), total, room}));
}

bool answer_ipv4(TooBigAnswer& answer, const Packet& packet, std::size_t longest) noexcept {
    const auto asked = answerable_ipv4(packet);
    constexpr std::size_t kHeaders = sizeof(Ipv4Header) + sizeof(IcmpTooBigHeader);
    if (!asked) return false;
    const Octets quoted = quotation(packet, asked->total_length.value(), std::min(longest, kLongestIpv4) - kHeaders);
    Ipv4Header ip{.traffic_class = kInternetControl,
                  .total_length = static_cast<std::uint16_t>(kHeaders + quoted.size()),
                  .ttl = kTtl,
                  .protocol = kProtocolIcmp,
                  .source = asked->destination,
                  .destination = asked->source};
    ip.checksum = internet_checksum(header_octets(ip));
    const auto message = write(
        answer, ip, {.icmp = {.type = kIcmpUnreachable, .code = kIcmpFragmentationNeeded}, .mtu = packet.mtu}, quoted);
    put_checksum(message, internet_checksum(message));
    return true;
}

bool answer_ipv6(TooBigAnswer& answer, const Packet& packet, std::size_t longest) noexcept {
    const auto asked = answerable_ipv6(packet);
    constexpr std::size_t kHeaders = sizeof(Ipv6Header) + sizeof(IcmpTooBigHeader);
    if (!asked) return false;
    const std::size_t total = sizeof(Ipv6Header) + asked->payload_length.value();
    const Octets quoted = quotation(packet, total, std::min(longest, kLongestIpv6) - kHeaders);
    const Ipv6Header ip{.version_class_flow = 6U << 28,
                        .payload_length = static_cast<std::uint16_t>(sizeof(IcmpTooBigHeader) + quoted.size()),
                        .next_header = kProtocolIcmpv6,
                        .hop_limit = kTtl,
                        .source = asked->destination,
                        .destination = asked->source};
    const auto message = write(answer, ip, {.icmp = {.type = kIcmpv6PacketTooBig}, .mtu = packet.mtu}, quoted);
    put_checksum(message, icmpv6_checksum(IpAddress(ip.source), IpAddress(ip.destination), message));
    return true;
}

}  // namespace

std::optional<TooBigAnswer> answer_too_big(std::span<const std::uint8_t> frame, std::uint32_t length,
                                           std::uint32_t longest_frame, std::uint16_t longest_packet) noexcept {
    const auto header = read_link_header(frame);
    if (!header || longest_frame <= header->length || header->source.is_multicast() || header->source.is_zero() ||
        header->destination.is_multicast())
        return std::nullopt;
    const Packet packet{.octets = frame.subspan(header->length),
                        .available = length - header->length,
                        .mtu = longest_frame - header->length};
    std::optional<TooBigAnswer> answer(std::in_place);
    answer->asked = *header;
    const bool is_answered = header->ethertype == kEtherTypeIpv4   ? answer_ipv4(*answer, packet, longest_packet)
                             : header->ethertype == kEtherTypeIpv6 ? answer_ipv6(*answer, packet, longest_packet)
                                                                   : false;
    return is_answered ? answer : std::nullopt;
}

}  // namespace bulkhead
