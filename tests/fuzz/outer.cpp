// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/outer.h"

#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::fuzz {
namespace {

constexpr std::size_t kV4 = 20, kV6 = 40, kUdp = 8, kShim = 8;
constexpr std::uint8_t kUdpProtocol = 17;

std::uint16_t get16(Octets octets, std::size_t at) {
    return load_big_endian<std::uint16_t>(&octets[at]);
}
std::uint64_t mac_at(Octets octets, std::size_t at) {
    return std::uint64_t{get16(octets, at)} << 32 | load_big_endian<std::uint32_t>(&octets[at + 2]);
}

/// 0 if the datagram's checksum is right.
std::uint16_t udp_rest(const Outer& outer, Octets datagram) {
    InternetChecksum sum;
    sum.add_pseudo_header(outer.source, outer.destination, kUdpProtocol, static_cast<std::uint32_t>(datagram.size()));
    sum.add(datagram);
    return sum.value();
}

/// The UDP datagram of an IPv4 packet with nothing behind it.
std::optional<Octets> read_v4(Octets packet, Outer& outer) {
    if (packet.size() < kV4 || packet[0] >> 4 != 4) return {};
    const std::size_t header = 4UL * (packet[0] & 15), total = get16(packet, 2);
    if (header < kV4 || total < header || total > packet.size() || internet_checksum(packet.first(header)) != 0)
        return {};
    if (packet[9] != kUdpProtocol || (get16(packet, 6) & 0x3fff) != 0) return {};
    outer.source = IpAddress::from_v4(&packet[12]);
    outer.destination = IpAddress::from_v4(&packet[16]);
    outer.ecn = packet[1] & 3;
    return packet.subspan(header, total - header);
}

std::optional<Octets> read_v6(Octets packet, Outer& outer) {
    if (packet.size() < kV6 || packet[0] >> 4 != 6 || packet[6] != kUdpProtocol) return {};
    const std::size_t length = get16(packet, 4);
    if (length > packet.size() - kV6) return {};
    outer.source = IpAddress::from_v6(&packet[8]);
    outer.destination = IpAddress::from_v6(&packet[24]);
    outer.ecn = packet[1] >> 4 & 3;
    return packet.subspan(kV6, length);
}

/// The group of the first option that is ours: class 0xff42, type 1, one word.
std::uint16_t group_of(Octets options) {
    while (options.size() >= 4) {
        const std::size_t length = 4 + 4UL * (options[3] & 31);
        if (length > options.size()) return 0;
        if (get16(options, 0) == 0xff42 && options[2] == 1 && length == 8) return get16(options, 4);
        options = options.subspan(length);
    }
    return 0;
}

bool read_shim(Octets datagram, Outer& outer) {
    const Octets shim = datagram.subspan(kUdp);
    std::size_t options = 0;
    const std::uint16_t port = get16(datagram, 2);
    if (port == kVxlanPort) {
        if ((shim[0] & 8) == 0) return false;
        if ((shim[0] & 0x80) != 0) outer.group = get16(shim, 2);
        outer.is_bare = shim[0] == 8 && shim[1] == 0 && get16(shim, 2) == 0;
    } else if (port == kGenevePort) {
        if (shim[0] >> 6 != 0 || shim[1] >> 6 != 0 || get16(shim, 2) != 0x6558) return false;
        options = 4UL * (shim[0] & 63);
        if (kShim + options > shim.size()) return false;
        outer.type = TunnelType::geneve;
        outer.group = group_of(shim.subspan(kShim, options));
        outer.is_bare = options == 0;
    } else {
        return false;
    }
    outer.vni = load_big_endian<std::uint32_t>(&shim[4]) >> 8;
    outer.inner = shim.subspan(kShim + options);
    return true;
}

std::size_t packet_at(Octets frame) {
    return get16(frame, kMacPair) == kEtherTypeVlan ? kEthernetHeader + kVlanTag : kEthernetHeader;
}

}  // namespace

std::optional<Outer> read_outer(Octets frame) {
    if (frame.size() < kEthernetHeader + kVlanTag) return {};
    Outer outer{.destination_mac = mac_at(frame, 0), .source_mac = mac_at(frame, 6)};
    const std::size_t at = packet_at(frame);
    if (at != kEthernetHeader) outer.vlan = get16(frame, kEthernetHeader) & 0xfff;
    const std::uint16_t type = get16(frame, at - 2);
    std::optional<Octets> datagram;
    if (type == kEtherTypeIpv4) datagram = read_v4(frame.subspan(at), outer);
    if (type == kEtherTypeIpv6) datagram = read_v6(frame.subspan(at), outer);
    if (!datagram || datagram->size() < kUdp + kShim || get16(*datagram, 4) != datagram->size()) return {};
    outer.has_checksum = get16(*datagram, 6) != 0;
    if (outer.has_checksum && udp_rest(outer, *datagram) != 0) return {};
    if (!read_shim(*datagram, outer)) return {};
    return outer;
}

void repair(std::vector<std::uint8_t>& frame) {
    if (frame.size() < kEthernetHeader + kVlanTag) return;
    const std::size_t at = packet_at(frame);
    const bool is_v4 = get16(frame, at - 2) == kEtherTypeIpv4;
    const std::span<std::uint8_t> packet = std::span(frame).subspan(at);
    std::size_t header = kV6;
    if (packet.size() < header || (!is_v4 && get16(frame, at - 2) != kEtherTypeIpv6)) return;
    Outer outer;
    if (is_v4) {
        header = 4UL * (packet[0] & 15);
        if (header < kV4 || header > packet.size()) return;
        store_big_endian16(&packet[2], static_cast<std::uint16_t>(packet.size()));
        store_big_endian16(&packet[10], 0);
        store_big_endian16(&packet[10], internet_checksum(packet.first(header)));
        outer.source = IpAddress::from_v4(&packet[12]);
        outer.destination = IpAddress::from_v4(&packet[16]);
    } else {
        store_big_endian16(&packet[4], static_cast<std::uint16_t>(packet.size() - kV6));
        outer.source = IpAddress::from_v6(&packet[8]);
        outer.destination = IpAddress::from_v6(&packet[24]);
    }
    if (packet.size() < header + kUdp) return;
    const std::span<std::uint8_t> datagram = packet.subspan(header);
    store_big_endian16(&datagram[4], static_cast<std::uint16_t>(datagram.size()));
    if (get16(datagram, 6) == 0) return;
    store_big_endian16(&datagram[6], 0);
    const std::uint16_t sum = udp_rest(outer, datagram);
    store_big_endian16(&datagram[6], sum == 0 ? 0xffff : sum);
}

}  // namespace bulkhead::fuzz
