// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/keepalive_frame.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "vswitch/overlay/flow_hash.h"
#include "vswitch/packet/big_endian.h"
#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/ip_packet.h"

namespace bulkhead {
namespace {

constexpr MacAddress kBfdForVxlan(0x0000'5e00'5202ULL);  // RFC 8971, section 9
constexpr std::uint8_t kWholeTtl = 255;                  // RFC 5881, section 5
constexpr std::uint8_t kInternetControl = 0xc0;          // CS6 (RFC 4594, section 3.1)
constexpr std::uint32_t kLoopback = 0x7f00'0001;         // 127/8: so that it is never forwarded (RFC 8971, section 4)
// Where the underlay has no IPv4 address to speak from, the dummy one of RFC 7600, section 4.8.
constexpr std::uint32_t kDummyIpv4 = 0xc000'0008;

struct UdpHeader {
    BigEndian16 source;
    BigEndian16 destination;
    BigEndian16 length;
    BigEndian16 checksum;
};
static_assert(sizeof(UdpHeader) == kUdpHeader);

std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination,
                           std::span<const std::uint8_t> datagram) {
    InternetChecksum sum;
    sum.add_pseudo_header(source, destination, kProtocolUdp, static_cast<std::uint32_t>(datagram.size()));
    sum.add(datagram);
    return sum.value();
}

void fill_udp_checksum(const IpAddress& source, const IpAddress& destination, std::span<std::uint8_t> datagram) {
    const std::uint16_t checksum = udp_checksum(source, destination, datagram);
    store_big_endian16(&datagram[offsetof(UdpHeader, checksum)], checksum == 0 ? 0xffff : checksum);
}

std::vector<std::uint8_t> inner_frame(const KeepalivePath& path, const BfdPacket& packet) {
    const IpAddress source = path.local.is_v4() ? path.local : IpAddress::v4(kDummyIpv4);
    const IpAddress destination = IpAddress::v4(kLoopback);
    // The session's own source port, and never another (RFC 5881, section 4).
    const auto port = static_cast<std::uint16_t>(kEphemeralPorts | packet.my_discriminator);
    const UdpHeader udp{.source = port, .destination = kBfdPort, .length = kUdpHeader + kBfdPacketSize, .checksum = {}};
    const auto octets = header_octets(udp);
    std::vector<std::uint8_t> datagram(octets.begin(), octets.end());
    std::ranges::copy(build_bfd(packet), std::back_inserter(datagram));
    fill_udp_checksum(source, destination, datagram);
    return LinkFormat(path.mac, std::nullopt)
        .build(kBfdForVxlan, kEtherTypeIpv4,
               build_ip({.source = source,
                         .destination = destination,
                         .protocol = kProtocolUdp,
                         .hop_limit = kWholeTtl,
                         .traffic_class = kInternetControl,
                         .payload = datagram}));
}

/// Behind the UDP header; nothing if it is not whole.
std::optional<std::span<const std::uint8_t>> udp_payload(std::span<const std::uint8_t> datagram) {
    const auto udp = read_header<UdpHeader>(datagram);
    if (!udp || udp->length.value() < sizeof *udp || udp->length.value() > datagram.size()) return std::nullopt;
    return datagram.subspan(sizeof *udp, udp->length.value() - sizeof *udp);
}

}  // namespace

std::vector<std::uint8_t> build_keepalive(const KeepalivePath& path, const MacAddress& next_hop,
                                          const BfdPacket& packet) {
    const std::vector<std::uint8_t> inner = inner_frame(path, packet);
    std::vector<std::uint8_t> frame(OuterHeader::kRoom + inner.size());
    std::ranges::copy(inner, frame.begin() + OuterHeader::kRoom);
    write_outer(path.header, &frame[OuterHeader::kRoom],
                {.destination = next_hop.value(),
                 .frame_length = static_cast<std::uint16_t>(inner.size()),
                 .vni = kManagementVni,
                 .flow_hash = flow_hash(inner.data(), static_cast<std::uint32_t>(inner.size())),
                 .traffic_class = path.dscp ? static_cast<std::uint8_t>(*path.dscp << 2) : kInternetControl});
    const std::size_t shim = OuterHeader::kRoom - kShimHeader;
    // RFC 9521, section 4: a control packet, which no station is to see.
    if (path.type == TunnelType::geneve) frame[shim + 1] |= kGeneveControl;
    if (path.has_udp_checksum) fill_udp_checksum(path.local, path.remote, std::span(frame).subspan(shim - kUdpHeader));
    frame.erase(frame.begin(), frame.begin() + (OuterHeader::kRoom - path.header.length));
    return frame;
}

std::optional<UnderlayDatagram> read_underlay_datagram(const LinkFormat& link, std::span<const std::uint8_t> frame) {
    const auto opened = link.parse(frame);
    if (!opened || (opened->ethertype != kEtherTypeIpv4 && opened->ethertype != kEtherTypeIpv6)) return std::nullopt;
    const auto packet = opened->ethertype == kEtherTypeIpv4 ? parse_ipv4(opened->payload) : parse_ipv6(opened->payload);
    if (!packet || packet->protocol != kProtocolUdp || packet->is_fragment) return std::nullopt;
    const auto payload = udp_payload(packet->payload);
    return payload ? std::optional(UnderlayDatagram{packet->source, *payload}) : std::nullopt;
}

std::optional<BfdPacket> read_keepalive(TunnelType type, std::span<const std::uint8_t> tunnelled) {
    constexpr std::uint8_t kOptionWords = 0x3f;
    if (tunnelled.size() < kShimHeader) return std::nullopt;
    const std::size_t shim = kShimHeader + (type == TunnelType::geneve ? 4UL * (tunnelled[0] & kOptionWords) : 0);
    if (tunnelled.size() < shim || load_big_endian<std::uint32_t>(&tunnelled[4]) >> 8 != kManagementVni)
        return std::nullopt;
    const auto inner = LinkFormat({}, std::nullopt).parse(tunnelled.subspan(shim));
    if (!inner || inner->ethertype != kEtherTypeIpv4) return std::nullopt;
    const auto packet = parse_ipv4(inner->payload);
    if (!packet || packet->protocol != kProtocolUdp || packet->is_fragment || packet->hop_limit != kWholeTtl)
        return std::nullopt;
    const auto udp = read_header<UdpHeader>(packet->payload);
    const auto payload = udp_payload(packet->payload);
    if (!payload || udp->destination.value() != kBfdPort) return std::nullopt;
    const auto datagram = packet->payload.first(udp->length.value());
    if (udp->checksum.value() != 0 && udp_checksum(packet->source, packet->destination, datagram) != 0)
        return std::nullopt;
    return parse_bfd(*payload);
}

}  // namespace bulkhead
