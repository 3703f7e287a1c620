// SPDX-License-Identifier: Apache-2.0
// What the underlay's link brings to its host. Whatever names an own address as its sender, with another MAC, claims
// it.
#include "vswitch/overlay/echo_reply.h"
#include "vswitch/overlay/underlay_host.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

UnderlayHost::Verdict UnderlayHost::receive(std::span<const std::uint8_t> bytes, std::uint64_t now) {
    const auto frame = link_.parse(bytes);
    if (!frame) return frame.error() == LinkFault::truncated ? Verdict::malformed : Verdict::not_ours;
    if (frame->source.is_multicast() || frame->source.is_zero()) return Verdict::malformed;
    if (frame->source == link_.mac()) return Verdict::not_ours;  // our own, back from the link
    if (frame->destination != link_.mac() && !frame->destination.is_multicast()) return Verdict::not_ours;
    switch (frame->ethertype) {
        case kEtherTypeArp:
            return receive_arp(*frame, now);
        case kEtherTypeIpv4:
            return receive_ipv4(*frame, now);
        case kEtherTypeIpv6:
            return receive_ipv6(*frame, now);
        default:
            return Verdict::not_ours;
    }
}

/// RFC 826, "Packet Reception"; RFC 5227, sections 2.1.1 and 2.4.
UnderlayHost::Verdict UnderlayHost::receive_arp(const LinkFrame& frame, std::uint64_t now) {
    const auto message = parse_arp(frame.payload);
    if (!message) return Verdict::malformed;
    if (message->sender_mac == link_.mac()) return Verdict::not_ours;
    if (routes_.owns(message->sender_ip)) {
        own_.claimed(message->sender_ip, message->sender_mac, now);
        return Verdict::noted;
    }
    const bool is_for_us = routes_.owns(message->target_ip);
    const bool asks_for_us = is_for_us && message->is_request;
    bool is_known = false;
    if (message->sender_ip.is_unspecified()) {
        if (asks_for_us) own_.probed(message->target_ip, message->sender_mac, now);
    } else if (is_for_us && !message->is_request && frame.destination == link_.mac()) {
        is_known = cache_.advertised(
            {.ip = message->sender_ip, .mac = message->sender_mac, .solicited = true, .overrides = true}, now);
    } else {
        const bool is_new_peer = asks_for_us && routes_.is_on_link(message->sender_ip);
        is_known = cache_.heard(message->sender_ip, message->sender_mac, is_new_peer, now);
    }
    if (!asks_for_us) return is_known ? Verdict::noted : Verdict::not_ours;
    if (!may_answer(message->sender_ip, now)) return Verdict::limited;
    send(message->sender_mac, ArpMessage{.is_request = false,
                                         .sender_mac = link_.mac(),
                                         .sender_ip = message->target_ip,
                                         .target_mac = message->sender_mac,
                                         .target_ip = message->sender_ip});
    return Verdict::used;
}

UnderlayHost::Verdict UnderlayHost::receive_ipv4(const LinkFrame& frame, std::uint64_t now) {
    const auto packet = parse_ipv4(frame.payload);
    if (!packet) return Verdict::malformed;
    return answer_echo(frame, *packet, now);
}

UnderlayHost::Verdict UnderlayHost::receive_ipv6(const LinkFrame& frame, std::uint64_t now) {
    const auto packet = parse_ipv6(frame.payload);
    if (!packet) return Verdict::malformed;
    const bool is_icmp = packet->protocol == kProtocolIcmpv6 && !packet->payload.empty();
    const std::uint8_t type = is_icmp ? packet->payload.front() : std::uint8_t{0};
    if (type != kIcmpv6NeighborSolicitation && type != kIcmpv6NeighborAdvertisement)
        return answer_echo(frame, *packet, now);
    const auto message = parse_neighbor_message(*packet);
    if (!message) return Verdict::malformed;
    return message->is_solicitation ? receive_solicitation(frame, *message, now)
                                    : receive_advertisement(frame, *message, now);
}

/// RFC 4861, sections 7.2.3 and 7.2.4; RFC 4862, section 5.4.3.
UnderlayHost::Verdict UnderlayHost::receive_solicitation(const LinkFrame& frame, const NeighborMessage& message,
                                                         std::uint64_t now) {
    const MacAddress asker = message.mac.value_or(frame.source);
    if (asker == link_.mac()) return Verdict::not_ours;
    if (routes_.owns(message.source)) {
        own_.claimed(message.source, asker, now);
        return Verdict::noted;
    }
    if (!routes_.owns(message.target)) return Verdict::not_ours;
    const bool is_probe = message.source.is_unspecified();
    if (is_probe)
        own_.probed(message.target, asker, now);
    else if (message.mac)
        cache_.heard(message.source, asker, routes_.is_on_link(message.source), now);
    if (!may_answer(message.source, now)) return Verdict::limited;
    const IpAddress destination = is_probe ? all_nodes() : message.source;
    send(is_probe ? ipv6_multicast_mac(destination) : asker, NeighborMessage{.is_solicitation = false,
                                                                             .source = message.target,
                                                                             .destination = destination,
                                                                             .target = message.target,
                                                                             .solicited = !is_probe,
                                                                             .overrides = true,
                                                                             .mac = link_.mac()});
    return Verdict::used;
}

/// RFC 4861, section 7.2.5; RFC 4862, section 5.4.4.
UnderlayHost::Verdict UnderlayHost::receive_advertisement(const LinkFrame& frame, const NeighborMessage& message,
                                                          std::uint64_t now) {
    const MacAddress owner = message.mac.value_or(frame.source);
    if (owner == link_.mac()) return Verdict::not_ours;
    if (routes_.owns(message.target)) {
        own_.claimed(message.target, owner, now);
        return Verdict::noted;
    }
    const bool answers_us = message.solicited && routes_.owns(message.destination);
    const bool is_known = cache_.advertised(
        {.ip = message.target, .mac = message.mac, .solicited = answers_us, .overrides = message.overrides}, now);
    return is_known ? Verdict::noted : Verdict::not_ours;
}

/// The reply takes the way that the request came, whoever is the next hop to its sender.
UnderlayHost::Verdict UnderlayHost::answer_echo(const LinkFrame& frame, const IpPacket& packet, std::uint64_t now) {
    if (!routes_.owns(packet.destination)) return Verdict::not_ours;
    // RFC 1122, sections 3.2.1.3 and 3.3.6: no answer to a sender that is no single node, nor to what was broadcast.
    if (!packet.source.is_usable() || routes_.owns(packet.source)) return Verdict::malformed;
    if (frame.destination != link_.mac()) return Verdict::malformed;
    const auto reply = echo_reply(packet);
    if (!reply) return reply.error() == NoEcho::malformed ? Verdict::malformed : Verdict::not_ours;
    if (reply->size() > mtu_) return Verdict::not_ours;
    if (!echoes_.take(now)) return Verdict::limited;
    emit_(link_.build(frame.source, packet.source.is_v4() ? kEtherTypeIpv4 : kEtherTypeIpv6, *reply));
    return Verdict::used;
}

}  // namespace bulkhead
