// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/outer_parse.h"

#include <algorithm>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/udp_checksum.h"
#include "vswitch/packet/arp.h"
#include "vswitch/packet/ecn.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kVlanId = 0x0fff;
constexpr std::uint16_t kFragment = 0x3fff;  ///< the offset, and whether more follow
constexpr std::uint16_t kSumOfGood = 0xffff;

Outer dropped(DropReason reason) noexcept {
    return {.kind = Outer::Kind::dropped, .reason = reason};
}
Outer for_node() noexcept {
    return {.kind = Outer::Kind::for_node};
}

/// What stands in the first buffer, bounds known.
struct View {
    const rte_mbuf* frame;
    const std::uint8_t* data;
    std::uint32_t length;

    [[nodiscard]] bool has(std::uint32_t octets) const noexcept { return length >= octets; }
    template <typename Unsigned>
    [[nodiscard]] Unsigned at(std::uint32_t offset) const noexcept {
        return load_big_endian<Unsigned>(data + offset);
    }
};

/// An IP packet that is whole, not a fragment, and carries UDP to an address of ours.
struct Datagram {
    std::uint16_t ip = 0, udp = 0;  ///< where the headers begin
    std::uint32_t end = 0;          ///< of the IP packet, from the frame's beginning
    bool is_v4 = true;
    IpAddress source;
    std::uint8_t ecn = 0;
};

bool is_good(const View& view, const Datagram& datagram) noexcept {
    return is_udp_checksum_good(
        view.frame,
        {.ip = datagram.ip, .udp = datagram.udp, .length = datagram.end - datagram.udp, .is_v4 = datagram.is_v4});
}

/// Octets of VXLAN's or Geneve's header; 0 if it is not one that we take.
std::uint16_t shim_length(const View& view, std::uint16_t shim, TunnelType type) noexcept {
    if (type == TunnelType::vxlan) return (view.data[shim] & kVxlanFlags) != 0 ? kShimHeader : 0;
    constexpr std::uint8_t kVersion = 0xc0, kOptionWords = 0x3f;
    const std::uint8_t first = view.data[shim], flags = view.data[shim + 1];
    // A critical option is one that we would have to understand, and we know none (RFC 8926, section 3.4). The only
    // control packets are keepalives, and of those not all are marked (RFC 9521, section 4).
    const bool may_be_control = view.at<std::uint32_t>(shim + 4U) >> 8 == kManagementVni;
    const std::uint8_t refused = may_be_control ? kGeneveCritical : kGeneveControl | kGeneveCritical;
    if ((first & kVersion) != 0 || (flags & refused) != 0) return 0;
    if (view.at<std::uint16_t>(shim + 2U) != kTransEthernet) return 0;
    return static_cast<std::uint16_t>(kShimHeader + (first & kOptionWords) * 4);
}

/// What the header says of its frame's sender. `shim_octets` are all of the header, and are there.
struct SenderGroup {
    GroupField field = GroupField::none;
    GroupId id = kNoGroupId;
};

SenderGroup sender_group(const View& view, std::uint16_t shim, std::uint16_t shim_octets, TunnelType type) noexcept {
    if (type == TunnelType::vxlan) return {GroupField::vxlan, read_group(GroupField::vxlan, view.data + shim)};
    // Who sends other options, too, may have put them first.
    const std::uint32_t first = shim + kShimHeader, end = static_cast<std::uint32_t>(shim + shim_octets);
    for (std::uint32_t at = first; at + kOptionWord <= end;) {
        constexpr std::uint32_t kWords = 0x1f;
        const auto head = view.at<std::uint32_t>(at);
        if (is_group_option(head) && at + kGroupOption <= end)
            return {at == first ? GroupField::geneve : GroupField::none, view.at<std::uint16_t>(at + kGroupOptionData)};
        at += kOptionWord * (1 + (head & kWords));
    }
    return {};
}

Outer parse_tunnelled(const View& view, const Datagram& datagram, TunnelType type,
                      const UnderlayEntry& underlay) noexcept {
    const std::uint16_t shim = static_cast<std::uint16_t>(datagram.udp + kUdpHeader);
    if (!view.has(shim + kShimHeader)) return dropped(DropReason::bad_outer);
    const auto udp_length = view.at<std::uint16_t>(datagram.udp + 4U);
    const auto checksum = view.at<std::uint16_t>(datagram.udp + 6U);
    const std::uint16_t shim_octets = shim_length(view, shim, type);
    const std::uint32_t header = static_cast<std::uint32_t>(shim + shim_octets);
    if (shim_octets == 0 || datagram.udp + udp_length != datagram.end || !view.has(header) || header > datagram.end)
        return dropped(DropReason::bad_outer);
    const auto found = underlay.tunnels.find(datagram.source, type, view.at<std::uint16_t>(datagram.udp + 2U),
                                             view.at<std::uint32_t>(shim + 4U) >> 8);
    if (found.reason != DropReason::none) return dropped(found.reason);
    // RFC 6935, section 5: over IPv6 a zero checksum only where both ends agreed on it.
    if (checksum == 0 ? found.wants_checksum : !is_good(view, datagram)) return dropped(DropReason::bad_outer);
    if (found.is_for_node) return for_node();
    const SenderGroup group = sender_group(view, shim, shim_octets, type);
    return {.kind = Outer::Kind::tunnelled,
            .reason = DropReason::none,
            .attachment = found.attachment,
            .udp_port = view.at<std::uint16_t>(datagram.udp + 2U),
            .header_length = static_cast<std::uint16_t>(header),
            .frame_length = datagram.end - header,
            .ecn = datagram.ecn,
            .group_field = group.field,
            .group = group.id,
            .is_plain = datagram.is_v4 && datagram.udp - datagram.ip == kIpv4Header &&
                        shim_octets == kShimHeader + options_length(group.field) && checksum == 0 && datagram.ecn == 0};
}

Outer parse_udp(const View& view, const Datagram& datagram, const UnderlayEntry& underlay) noexcept {
    if (!view.has(datagram.udp + kUdpHeader)) return dropped(DropReason::bad_outer);
    const auto port = view.at<std::uint16_t>(datagram.udp + 2U);
    const auto type = std::ranges::find(underlay.udp_ports, port, &std::pair<std::uint16_t, TunnelType>::first);
    if (type == underlay.udp_ports.end()) return dropped(DropReason::not_for_us);
    return parse_tunnelled(view, datagram, type->second, underlay);
}

Outer parse_ipv4(const View& view, std::uint16_t ip, const UnderlayEntry& underlay) noexcept {
    if (!view.has(ip + kIpv4Header)) return dropped(DropReason::bad_outer);
    const std::uint8_t* const header = view.data + ip;
    const auto header_length = static_cast<std::uint16_t>((header[0] & 0x0f) * 4);
    const auto total = view.at<std::uint16_t>(ip + 2U);
    if (header[0] >> 4 != 4 || header_length < kIpv4Header || total < header_length || !view.has(ip + header_length) ||
        static_cast<std::uint32_t>(ip + total) > view.frame->pkt_len ||
        rte_raw_cksum(header, header_length) != kSumOfGood)
        return dropped(DropReason::bad_outer);
    if (header[9] == kProtocolIcmp) return for_node();
    if (header[9] != kProtocolUdp || !underlay.has_address(IpAddress::from_v4(header + 16)))
        return dropped(DropReason::not_for_us);
    // RFC 7348, section 4.3: what was fragmented on its way may be discarded.
    if ((view.at<std::uint16_t>(ip + 6U) & kFragment) != 0) return dropped(DropReason::bad_outer);
    return parse_udp(view,
                     {.ip = ip,
                      .udp = static_cast<std::uint16_t>(ip + header_length),
                      .end = static_cast<std::uint32_t>(ip + total),
                      .is_v4 = true,
                      .source = IpAddress::from_v4(header + 12),
                      .ecn = static_cast<std::uint8_t>(header[1] & kEcnMask)},
                     underlay);
}

Outer parse_ipv6(const View& view, std::uint16_t ip, const UnderlayEntry& underlay) noexcept {
    if (!view.has(ip + kIpv6Header)) return dropped(DropReason::bad_outer);
    const std::uint8_t* const header = view.data + ip;
    const std::uint32_t end = static_cast<std::uint32_t>(ip + kIpv6Header) + view.at<std::uint16_t>(ip + 4U);
    if (header[0] >> 4 != 6 || end > view.frame->pkt_len) return dropped(DropReason::bad_outer);
    if (header[6] == kProtocolIcmpv6) return for_node();
    if (header[6] != kProtocolUdp || !underlay.has_address(IpAddress::from_v6(header + 24)))
        return dropped(DropReason::not_for_us);
    return parse_udp(view,
                     {.ip = ip,
                      .udp = static_cast<std::uint16_t>(ip + kIpv6Header),
                      .end = end,
                      .is_v4 = false,
                      .source = IpAddress::from_v6(header + 8),
                      .ecn = static_cast<std::uint8_t>(header[1] >> 4 & kEcnMask)},
                     underlay);
}

}  // namespace

Outer parse_outer(const rte_mbuf* frame, const UnderlayEntry& underlay) noexcept {
    const View view{frame, rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len};
    if (!view.has(kEthernetHeader)) return dropped(DropReason::truncated);
    const std::uint64_t destination = view.at<std::uint64_t>(0) >> 16;
    if (destination != underlay.mac && !is_multicast(destination)) return dropped(DropReason::not_for_us);
    auto type = view.at<std::uint16_t>(kMacPair);
    std::uint16_t payload = kEthernetHeader;
    std::uint16_t vlan = 0;
    if (type == kEtherTypeVlan) {
        if (!view.has(kEthernetHeader + kVlanTag)) return dropped(DropReason::truncated);
        vlan = view.at<std::uint16_t>(kEthernetHeader) & kVlanId;
        type = view.at<std::uint16_t>(kMacPair + kVlanTag);
        payload = kEthernetHeader + kVlanTag;
    }
    if (vlan != underlay.vlan) return dropped(DropReason::not_for_us);
    if (type == kEtherTypeIpv4) return parse_ipv4(view, payload, underlay);
    if (type == kEtherTypeIpv6) return parse_ipv6(view, payload, underlay);
    return type == kEtherTypeArp ? for_node() : dropped(DropReason::not_for_us);
}

}  // namespace bulkhead
