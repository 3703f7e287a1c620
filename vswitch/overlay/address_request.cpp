// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/address_request.h"

#include <algorithm>

#include "vswitch/overlay/arp_message.h"
#include "vswitch/overlay/neighbor_message.h"
#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip_packet.h"

namespace bulkhead {
namespace {

static_assert(sizeof(ArpPacket) <= AddressAnswer::kMost);

std::optional<AddressRequest> of_arp(std::span<const std::uint8_t> payload) noexcept {
    const auto arp = parse_arp(payload);
    if (!arp || !arp->is_request || arp->sender_ip == arp->target_ip) return std::nullopt;
    return AddressRequest{.asker = arp->sender_mac, .asker_ip = arp->sender_ip, .target = arp->target_ip};
}

std::optional<AddressRequest> of_solicitation(MacAddress source, std::span<const std::uint8_t> payload) noexcept {
    const auto packet = parse_ipv6(payload);
    if (!packet || packet->protocol != kProtocolIcmpv6 || packet->payload.empty() ||
        packet->payload[0] != kIcmpv6NeighborSolicitation)
        return std::nullopt;
    const auto message = parse_neighbor_message(*packet);
    if (!message || !message->destination.is_multicast() || message->source == message->target) return std::nullopt;
    // One to a group says where to answer (RFC 4861, section 4.3), unless the asker has no address yet.
    if (!message->mac && !message->source.is_unspecified()) return std::nullopt;
    return AddressRequest{
        .asker = message->mac.value_or(source), .asker_ip = message->source, .target = message->target};
}

template <typename Header>
void append(AddressAnswer& answer, const Header& header) noexcept {
    std::ranges::copy(header_octets(header), answer.octets.begin() + static_cast<std::ptrdiff_t>(answer.length));
    answer.length += sizeof header;
}

AddressAnswer reply(const AddressRequest& request, MacAddress owner) noexcept {
    AddressAnswer answer{.destination = request.asker};
    append(answer, build_arp({.is_request = false,
                              .sender_mac = owner,
                              .sender_ip = request.target,
                              .target_mac = request.asker,
                              .target_ip = request.asker_ip}));
    return answer;
}

/// RFC 4861, section 7.2.4. The router flag is set whether the owner is one or not, since nobody told: a host that is
/// taken for a router loses nothing, but one that took the owner for its router would no longer (section 7.2.5).
AddressAnswer advertisement(const AddressRequest& request, MacAddress owner) noexcept {
    const bool to_all = request.asker_ip.is_unspecified();
    const IpAddress to = to_all ? all_nodes() : request.asker_ip;
    AddressAnswer answer{.destination = to_all ? ipv6_multicast_mac(to) : request.asker};
    append(answer, Ipv6Header{.version_class_flow = 6U << 28,
                              .payload_length = sizeof(NeighborMessageHeader) + sizeof(NdMacOption),
                              .next_header = kProtocolIcmpv6,
                              .hop_limit = kNeighborHopLimit,
                              .source = request.target.octets(),
                              .destination = to.octets()});
    append(answer,
           NeighborMessageHeader{.icmp = {.type = kIcmpv6NeighborAdvertisement},
                                 .flags = kNeighborRouter | kNeighborOverride | (to_all ? 0 : kNeighborSolicited),
                                 .target = request.target.octets()});
    append(answer, NdMacOption{.type = kNdOptionTargetMac, .mac = owner.octets()});
    const std::span message = std::span(answer.octets).subspan(sizeof(Ipv6Header));
    store_big_endian16(&message[offsetof(IcmpHeader, checksum)], icmpv6_checksum(request.target, to, message));
    return answer;
}

}  // namespace

std::optional<AddressRequest> parse_address_request(std::uint16_t ethertype, MacAddress source,
                                                    std::span<const std::uint8_t> payload) noexcept {
    if (ethertype == kEtherTypeArp) return of_arp(payload);
    return ethertype == kEtherTypeIpv6 ? of_solicitation(source, payload) : std::nullopt;
}

AddressAnswer answer_of(const AddressRequest& request, MacAddress owner) noexcept {
    return request.target.is_v4() ? reply(request, owner) : advertisement(request, owner);
}

}  // namespace bulkhead
