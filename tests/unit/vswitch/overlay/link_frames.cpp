// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/vswitch/overlay/link_frames.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

void append(Bytes& bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Bytes ip_bytes(std::string_view text) {
    const IpAddress address = ip(text);
    const auto& octets = address.octets();
    return {octets.begin() + (address.is_v4() ? 12 : 0), octets.end()};
}

std::uint16_t ones_complement(Bytes bytes) {
    if (bytes.size() % 2 != 0) bytes.push_back(0);
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 2) {
        sum += bytes[at] * 256U + bytes[at + 1];
        if (sum > 0xffff) sum -= 0xffff;
    }
    return static_cast<std::uint16_t>(0xffff - sum);
}

void put16(Bytes& bytes, std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}

Bytes padded(Bytes frame) {
    if (frame.size() < 60) frame.resize(60);
    return frame;
}

}  // namespace

Bytes hex(std::string_view digits) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(digits.substr(at, 2)), nullptr, 16)));
    return bytes;
}

IpAddress ip(std::string_view text) {
    const auto address = IpAddress::parse(text);
    EXPECT_TRUE(address) << text;
    return address.value_or(IpAddress());
}

Bytes arp_frame(const Arp& arp) {
    Bytes frame = mac_bytes(arp.to);
    append(frame, mac_bytes(arp.sender));
    append(frame, arp.tag);
    append(frame, {8, 6, 0, 1, 8, 0, 6, 4, static_cast<std::uint8_t>(arp.operation >> 8),
                   static_cast<std::uint8_t>(arp.operation)});
    append(frame, mac_bytes(arp.sender));
    append(frame, ip_bytes(arp.sender_ip));
    append(frame, arp.operation == 2 ? mac_bytes(arp.to) : Bytes(6));
    append(frame, ip_bytes(arp.target_ip));
    return padded(frame);
}

Bytes icmpv6_frame(const Ipv6& header, Bytes payload) {
    Bytes pseudo = ip_bytes(header.source);
    append(pseudo, ip_bytes(header.destination));
    append(pseudo, {0, 0, 0, 0, 0, 0, 0, 58});
    put16(pseudo, 34, payload.size());
    append(pseudo, payload);
    if (payload.size() >= 4) put16(payload, 2, ones_complement(pseudo));

    Bytes frame = header.to;
    append(frame, mac_bytes(header.from));
    append(frame, {0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, header.next_header, header.hop_limit});
    put16(frame, 18, payload.size());
    append(frame, ip_bytes(header.source));
    append(frame, ip_bytes(header.destination));
    append(frame, payload);
    return padded(frame);
}

Bytes mac_option(std::uint8_t type, unsigned station) {
    Bytes option = {type, 1};
    append(option, mac_bytes(station));
    return option;
}

Bytes solicitation(std::string_view target, const Bytes& options) {
    Bytes message = {135, 0, 0, 0, 0, 0, 0, 0};
    append(message, ip_bytes(target));
    append(message, options);
    return message;
}

Bytes advertisement(std::string_view target, std::uint8_t flags, const Bytes& options) {
    Bytes message = {136, 0, 0, 0, flags, 0, 0, 0};
    append(message, ip_bytes(target));
    append(message, options);
    return message;
}

Bytes ping_frame(const Ping& ping) {
    Bytes icmp = {ping.type, 0, 0, 0, 0xbe, 0xef, 0, 7};
    for (std::size_t at = 0; at < ping.data; ++at) icmp.push_back(static_cast<std::uint8_t>('a' + at % 26));
    put16(icmp, 2, ones_complement(icmp));
    Bytes header(20 + ping.options, 1);  // no operation, as far as it is options
    const Bytes fixed = {static_cast<std::uint8_t>(0x45 + ping.options / 4), 0, 0, 0, 0x12, 0x34, 0, 0, 17, 1, 0, 0};
    std::ranges::copy(fixed, header.begin());
    put16(header, 2, header.size() + icmp.size());
    put16(header, 6, ping.fragment);
    std::ranges::copy(ip_bytes(ping.source), header.begin() + 12);
    std::ranges::copy(ip_bytes(ping.destination), header.begin() + 16);

    Bytes frame = ping.to;
    append(frame, mac_bytes(ping.from));
    append(frame, {8, 0});
    append(frame, header);
    append(frame, icmp);
    fix_ipv4_checksum(frame);
    return padded(frame);
}

void fix_ipv4_checksum(Bytes& frame) {
    const std::size_t length = frame[14] % 16 * 4U;
    put16(frame, 24, 0);
    put16(frame, 24, ones_complement(Bytes(frame.begin() + 14, frame.begin() + 14 + static_cast<long>(length))));
}

}  // namespace bulkhead::test
