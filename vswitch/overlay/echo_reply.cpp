// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/echo_reply.h"

#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

constexpr std::uint8_t kTtl = 64;
constexpr std::uint8_t kDscpMask = 0xfc;  ///< a reply takes over the class of service, not the marks of congestion

std::uint16_t echo_checksum(const IpPacket& request, std::span<const std::uint8_t> message) {
    return request.source.is_v4() ? internet_checksum(message)
                                  : icmpv6_checksum(request.source, request.destination, message);
}

}  // namespace

std::expected<std::vector<std::uint8_t>, NoEcho> echo_reply(const IpPacket& request) {
    const bool v4 = request.source.is_v4();
    if (request.protocol != (v4 ? kProtocolIcmp : kProtocolIcmpv6)) return std::unexpected(NoEcho::not_asked);
    if (request.has_options || request.is_fragment) return std::unexpected(NoEcho::not_asked);
    const auto icmp = read_header<IcmpHeader>(request.payload);
    if (!icmp) return std::unexpected(NoEcho::malformed);
    if (icmp->type != (v4 ? kIcmpEchoRequest : kIcmpv6EchoRequest)) return std::unexpected(NoEcho::not_asked);
    if (request.payload.size() < sizeof(IcmpEchoHeader) || icmp->code != 0 ||
        echo_checksum(request, request.payload) != 0)
        return std::unexpected(NoEcho::malformed);

    std::vector<std::uint8_t> payload(request.payload.begin(), request.payload.end());
    payload[offsetof(IcmpHeader, type)] = v4 ? kIcmpEchoReply : kIcmpv6EchoReply;
    store_big_endian16(&payload[offsetof(IcmpHeader, checksum)], 0);
    // The pseudo header's sum does not change as source and destination change places.
    store_big_endian16(&payload[offsetof(IcmpHeader, checksum)], echo_checksum(request, payload));
    return build_ip({.source = request.destination,
                     .destination = request.source,
                     .protocol = request.protocol,
                     .hop_limit = kTtl,
                     .traffic_class = static_cast<std::uint8_t>(request.traffic_class & kDscpMask),
                     .payload = payload});
}

}  // namespace bulkhead
