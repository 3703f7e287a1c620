// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/ip_packet.h"

#include <algorithm>

#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

std::vector<std::uint8_t> joined(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(header.size() + payload.size());
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

std::vector<std::uint8_t> build_ipv4(const IpPacket& packet) {
    Ipv4Header header;
    header.traffic_class = packet.traffic_class;
    header.total_length = static_cast<std::uint16_t>(sizeof header + packet.payload.size());
    header.fragment = kIpv4DontFragment;
    header.ttl = packet.hop_limit;
    header.protocol = packet.protocol;
    std::copy_n(packet.source.v4_octets(), 4, header.source.begin());
    std::copy_n(packet.destination.v4_octets(), 4, header.destination.begin());
    header.checksum = internet_checksum(header_octets(header));
    return joined(header_octets(header), packet.payload);
}

std::vector<std::uint8_t> build_ipv6(const IpPacket& packet) {
    Ipv6Header header;
    header.version_class_flow = 6U << 28 | static_cast<std::uint32_t>(packet.traffic_class) << 20;
    header.payload_length = static_cast<std::uint16_t>(packet.payload.size());
    header.next_header = packet.protocol;
    header.hop_limit = packet.hop_limit;
    header.source = packet.source.octets();
    header.destination = packet.destination.octets();
    return joined(header_octets(header), packet.payload);
}

}  // namespace

std::expected<IpPacket, IpFault> parse_ipv4(std::span<const std::uint8_t> bytes) {
    const auto header = read_header<Ipv4Header>(bytes);
    if (!header) return std::unexpected(IpFault::truncated);
    if (header->version_and_words >> 4 != 4) return std::unexpected(IpFault::bad_version);
    const std::size_t header_length = 4UL * (header->version_and_words & 15);
    const std::size_t total = header->total_length.value();
    if (header_length < sizeof *header || total < header_length) return std::unexpected(IpFault::bad_length);
    if (total > bytes.size()) return std::unexpected(IpFault::truncated);
    if (internet_checksum(bytes.first(header_length)) != 0) return std::unexpected(IpFault::bad_checksum);
    return IpPacket{.source = IpAddress::from_v4(header->source.data()),
                    .destination = IpAddress::from_v4(header->destination.data()),
                    .protocol = header->protocol,
                    .hop_limit = header->ttl,
                    .traffic_class = header->traffic_class,
                    .has_options = header_length > sizeof *header,
                    .is_fragment = (header->fragment.value() & (kIpv4MoreFragments | kIpv4FragmentOffset)) != 0,
                    .payload = bytes.subspan(header_length, total - header_length)};
}

std::expected<IpPacket, IpFault> parse_ipv6(std::span<const std::uint8_t> bytes) {
    const auto header = read_header<Ipv6Header>(bytes);
    if (!header) return std::unexpected(IpFault::truncated);
    const std::uint32_t first = header->version_class_flow.value();
    if (first >> 28 != 6) return std::unexpected(IpFault::bad_version);
    const std::size_t length = header->payload_length.value();
    if (length > bytes.size() - sizeof *header) return std::unexpected(IpFault::truncated);
    IpPacket packet{.source = IpAddress::from_v6(header->source.data()),
                    .destination = IpAddress::from_v6(header->destination.data()),
                    .protocol = header->next_header,
                    .hop_limit = header->hop_limit,
                    .traffic_class = static_cast<std::uint8_t>(first >> 20),
                    .payload = bytes.subspan(sizeof *header, length)};
    // An IPv4-mapped address never appears on a wire (RFC 4038, section 4.2), and here it would be an IPv4 one.
    if (packet.source.is_v4() || packet.destination.is_v4()) return std::unexpected(IpFault::bad_address);
    return packet;
}

std::vector<std::uint8_t> build_ip(const IpPacket& packet) {
    return packet.source.is_v4() ? build_ipv4(packet) : build_ipv6(packet);
}

}  // namespace bulkhead
