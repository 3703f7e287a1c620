// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/flow_fields.h"

#include <span>

#include "vswitch/packet/big_endian.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead {
namespace {

using Octets = std::vector<std::uint8_t>;

/// As many as any header that dissect() asks for.
constexpr std::size_t kUpper = 24;

void append(Octets& octets, std::span<const std::uint8_t> more) {
    octets.insert(octets.end(), more.begin(), more.end());
}

template <typename Number>
void append_number(Octets& octets, Number number) {
    append(octets, header_octets(BigEndian<Number>(number)));
}

Octets upper_of(const FlowFields& fields) {
    Octets upper(kUpper, 0);
    if (fields.protocol == kProtocolIcmp || fields.protocol == kProtocolIcmpv6) {
        upper[0] = fields.icmp_type;
        return upper;
    }
    upper[0] = static_cast<std::uint8_t>(fields.source_port >> 8);
    upper[1] = static_cast<std::uint8_t>(fields.source_port);
    upper[2] = static_cast<std::uint8_t>(fields.destination_port >> 8);
    upper[3] = static_cast<std::uint8_t>(fields.destination_port);
    if (fields.protocol == kProtocolTcp) {
        upper[kTcpDataOffset] = (kTcpHeader / 4) << 4;
        upper[kTcpFlags] = fields.tcp_flags;
    }
    return upper;
}

void append_ipv4(Octets& octets, const FlowFields& fields) {
    constexpr std::uint16_t kTotal = kIpv4Header + kUpper;
    append(octets, std::span<const std::uint8_t>(Octets{0x45, 0}));
    append_number(octets, kTotal);
    append(octets, std::span<const std::uint8_t>(Octets{0, 0, 0, 0, kNeighborHopLimit, fields.protocol, 0, 0}));
    for (const auto& address : {fields.source, fields.destination})
        append(octets, {address.value_or(IpAddress::from_v4(Octets(4, 0).data())).v4_octets(), 4});
}

void append_ipv6(Octets& octets, const FlowFields& fields) {
    append(octets, std::span<const std::uint8_t>(Octets{0x60, 0, 0, 0}));
    append_number(octets, static_cast<std::uint16_t>(kUpper));
    append(octets, std::span<const std::uint8_t>(Octets{fields.protocol, kNeighborHopLimit}));
    for (const auto& address : {fields.source, fields.destination})
        append(octets, address.value_or(IpAddress(IpAddress::Octets{})).octets());
}

}  // namespace

std::vector<std::uint8_t> frame_of(const FlowFields& fields) {
    Octets octets;
    for (const MacAddress& mac : {fields.destination_mac, fields.source_mac})
        for (int shift = 40; shift >= 0; shift -= 8) octets.push_back(static_cast<std::uint8_t>(mac.value() >> shift));
    append_number(octets, fields.ethertype);
    if (fields.ethertype == kEtherTypeIpv4)
        append_ipv4(octets, fields);
    else if (fields.ethertype == kEtherTypeIpv6)
        append_ipv6(octets, fields);
    append(octets, upper_of(fields));
    return octets;
}

}  // namespace bulkhead
