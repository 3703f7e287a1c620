// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/vswitch/overlay/outer.h"

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

void put16(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}
void set16(Bytes& bytes, std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}
std::uint16_t get16(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes.at(at) << 8 | bytes.at(at + 1));
}
void put(Bytes& bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}
Bytes octets(const IpAddress& address) {
    const auto& all = address.octets();
    return {all.begin() + (address.is_v4() ? 12 : 0), all.end()};
}

/// RFC 1071, the slow way.
std::uint16_t internet_sum(const Bytes& bytes, std::uint32_t sum = 0) {
    for (std::size_t at = 0; at < bytes.size(); at += 2)
        sum += static_cast<std::uint32_t>(bytes[at] << 8) + (at + 1 < bytes.size() ? bytes[at + 1] : 0U);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t udp_sum(const Bytes& source, const Bytes& destination, const Bytes& datagram) {
    Bytes pseudo = source;
    put(pseudo, destination);
    put16(pseudo, 0);
    put16(pseudo, datagram.size());
    put16(pseudo, 17);
    return internet_sum(datagram, internet_sum(pseudo));
}

Bytes datagram_of(const OuterSpec& spec, const Bytes& inner) {
    Bytes udp;
    put16(udp, 0xd00d);
    put16(udp, spec.udp_port);
    put16(udp, 16 + spec.options.size() + spec.geneve_options + inner.size() +
                   static_cast<std::size_t>(spec.udp_length_off));
    put16(udp, 0);
    put(udp, {spec.shim_first, spec.shim_second});
    put16(udp, spec.type == TunnelType::geneve ? 0x6558 : spec.vxlan_group);
    put16(udp, spec.vni >> 8);
    put16(udp, spec.vni << 8 & 0xffff);
    put(udp, spec.options);
    udp.resize(udp.size() + spec.geneve_options, 0x11);
    put(udp, inner);
    return udp;
}

}  // namespace

Bytes tunnelled(const OuterSpec& spec, const Bytes& inner) {
    const IpAddress from = IpAddress::parse(spec.source).value(), to = IpAddress::parse(spec.local).value();
    Bytes udp = datagram_of(spec, inner);
    if (spec.has_udp_checksum) {
        const auto sum = static_cast<std::uint16_t>(~udp_sum(octets(from), octets(to), udp));
        set16(udp, 6, sum == 0 ? 0xffff : sum);
        if (spec.breaks_udp_checksum) udp[6] = static_cast<std::uint8_t>(udp[6] ^ 0x10);
    }
    Bytes frame = spec.destination;
    put(frame, {2, 0, 0, 0, 0, 0xbb});
    if (spec.vlan) {
        put16(frame, 0x8100);
        put16(frame, *spec.vlan);
    }
    put16(frame, from.is_v4() ? 0x0800 : 0x86dd);
    const std::size_t length = udp.size() + static_cast<std::size_t>(spec.ip_length_off);
    if (from.is_v4()) {
        Bytes ip{0x45, spec.ecn};
        put16(ip, length + 20);
        put16(ip, 0x1234);
        put16(ip, spec.fragment);
        put(ip, {63, 17, 0, 0});
        put(ip, octets(from));
        put(ip, octets(to));
        set16(ip, 10, static_cast<std::uint16_t>(~internet_sum(ip)));
        if (spec.breaks_ip_checksum) ip[10] = static_cast<std::uint8_t>(ip[10] ^ 1);
        put(frame, ip);
    } else {
        put(frame, {0x60, static_cast<std::uint8_t>(spec.ecn << 4), 0, 0});
        put16(frame, length);
        put(frame, {17, 63});
        put(frame, octets(from));
        put(frame, octets(to));
    }
    put(frame, udp);
    frame.resize(frame.size() + spec.padding);
    return frame;
}

OuterSeen read_outer(const Bytes& frame) {
    OuterSeen seen;
    const auto part = [&](std::size_t from, std::size_t to) {
        return Bytes(frame.begin() + static_cast<std::ptrdiff_t>(from),
                     frame.begin() + static_cast<std::ptrdiff_t>(to));
    };
    seen.destination = part(0, 6);
    seen.source_mac = part(6, 12);
    std::size_t ip = 14;
    if (get16(frame, 12) == 0x8100) {
        seen.vlan = get16(frame, 14);
        ip = 18;
    }
    const bool is_v4 = get16(frame, ip - 2) == 0x0800;
    const std::size_t udp = ip + (is_v4 ? 20 : 40), at = is_v4 ? ip + 12 : ip + 8, size = is_v4 ? 4 : 16;
    seen.source = is_v4 ? IpAddress::from_v4(&frame[at]) : IpAddress::from_v6(&frame[at]);
    seen.remote = is_v4 ? IpAddress::from_v4(&frame[at + size]) : IpAddress::from_v6(&frame[at + size]);
    seen.traffic_class = is_v4 ? frame[ip + 1] : static_cast<std::uint8_t>(get16(frame, ip) >> 4);
    seen.ttl = is_v4 ? frame[ip + 8] : frame[ip + 7];
    seen.ip_length = is_v4 ? get16(frame, ip + 2) : static_cast<std::uint16_t>(get16(frame, ip + 4) + 40);
    seen.ip_end = ip + seen.ip_length;
    if (is_v4) seen.is_ip_checksum_good = internet_sum(part(ip, ip + 20)) == 0xffff;
    seen.udp_source = get16(frame, udp);
    seen.udp_port = get16(frame, udp + 2);
    seen.udp_length = get16(frame, udp + 4);
    seen.udp_checksum = get16(frame, udp + 6);
    seen.is_udp_checksum_good =
        udp_sum(part(at, at + size), part(at + size, at + 2 * size), part(udp, frame.size())) == 0xffff;
    seen.shim = static_cast<std::uint32_t>(get16(frame, udp + 8)) << 16 | get16(frame, udp + 10);
    seen.vni = static_cast<std::uint32_t>(get16(frame, udp + 12)) << 8 | frame.at(udp + 14);
    seen.inner = part(udp + 16, frame.size());
    return seen;
}

}  // namespace bulkhead::test
