// SPDX-License-Identifier: Apache-2.0
// A hostile station behind port security. The input is one octet (0x40: the frame's checksums are made right) and the
// frame. What passes must say nothing of its sender, to a receiver as strict as our own, that the sender is not.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "tests/fuzz/fix_checksums.h"
#include "vswitch/overlay/arp_message.h"
#include "vswitch/overlay/neighbor_message.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip_packet.h"
#include "vswitch/packet/link_header.h"
#include "vswitch/security/check_station.h"

namespace bulkhead {
namespace {

const MacAddress kMac(0x0200'0000'0005);
const IpAddress kIp4 = *IpAddress::parse("10.1.0.5"), kIp6 = *IpAddress::parse("fd00::5");
constexpr std::uint8_t kRouterAdvertisement = 134, kRedirect = 137;

void require(bool holds) {
    if (!holds) std::abort();
}

Attachment attachment() {
    Attachment result;
    result.macs = {kMac};
    result.ips = {{kIp4, 24}, {kIp6, 64}};
    result.security = PortSecurity::strict;
    result.guards = {.router = true, .dhcp_server = true};
    return result;
}

bool is_own(const IpAddress& ip) {
    return ip == kIp4 || ip == kIp6 || ip == link_local_of(kMac).address;
}

void believe_arp(std::span<const std::uint8_t> payload) {
    const auto arp = parse_arp(payload);
    if (!arp) return;
    require(arp->sender_mac == kMac);
    require(is_own(arp->sender_ip) || (arp->sender_ip.is_unspecified() && arp->is_request && is_own(arp->target_ip)));
}

void believe_ip(const IpPacket& packet) {
    require(is_own(packet.source) || packet.source.is_unspecified());
    if (packet.source.is_v4() || packet.protocol != kProtocolIcmpv6 || packet.payload.empty()) return;
    const std::uint8_t type = packet.payload[0];
    require(type != kRouterAdvertisement && type != kRedirect);
    if (type != kIcmpv6NeighborSolicitation && type != kIcmpv6NeighborAdvertisement) return;
    const auto message = parse_neighbor_message(packet);
    if (!message) return;
    require(!message->mac || *message->mac == kMac);
    const bool claims = !message->is_solicitation || message->source.is_unspecified();
    require(!claims || is_own(message->target));
}

}  // namespace
}  // namespace bulkhead

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bulkhead;
    static const StationRules kRules(attachment());
    if (size == 0) return 0;
    std::vector<std::uint8_t> frame(data + 1, data + size);
    if ((data[0] & 0x40) != 0) fix_checksums(frame);
    if (check_station(kRules, frame) != DropReason::none) return 0;
    const auto header = read_link_header(frame);
    require(header && header->source == kMac);
    const auto payload = std::span(frame).subspan(header->length);
    if (header->ethertype == kEtherTypeArp) believe_arp(payload);
    if (header->ethertype == kEtherTypeIpv4)
        if (const auto packet = parse_ipv4(payload)) believe_ip(*packet);
    if (header->ethertype == kEtherTypeIpv6)
        if (const auto packet = parse_ipv6(payload)) believe_ip(*packet);
    return 0;
}
