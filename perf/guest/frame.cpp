// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/frame.h"

#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

namespace bulkhead::guest {
namespace {

struct Payload {
    std::uint64_t magic;
    std::uint64_t tsc;
};

struct Headers {
    rte_ether_hdr ethernet;
    rte_ipv4_hdr ip;
    rte_udp_hdr udp;
};
static_assert(sizeof(Headers) == 42, "as on the wire");

constexpr std::uint64_t kMagic = 0x62'75'6c'6b'68'65'61'64;  // "bulkhead": a switch may send frames of its own
constexpr rte_be16_t kDiscardPort = RTE_BE16(9);             // RFC 863

rte_ether_addr mac(std::uint16_t station) {
    return {{0x02, 0, 0, 0, static_cast<std::uint8_t>(station >> 8), static_cast<std::uint8_t>(station)}};
}

rte_be32_t ip(std::uint16_t station) {
    return rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 0) | station);
}

}  // namespace

void write_frame(std::span<std::uint8_t> bytes, std::uint16_t to, std::uint16_t by) {
    const auto ip_bytes = static_cast<std::uint16_t>(bytes.size() - sizeof(rte_ether_hdr));
    const auto udp_bytes = static_cast<std::uint16_t>(ip_bytes - sizeof(rte_ipv4_hdr));
    Headers headers{};
    headers.ethernet = {.dst_addr = mac(to), .src_addr = mac(by), .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
    headers.ip.version_ihl = RTE_IPV4_VHL_DEF;
    headers.ip.total_length = rte_cpu_to_be_16(ip_bytes);
    headers.ip.time_to_live = 64;
    headers.ip.next_proto_id = IPPROTO_UDP;
    headers.ip.src_addr = ip(by);
    headers.ip.dst_addr = ip(to);
    headers.ip.hdr_checksum = rte_ipv4_cksum(&headers.ip);
    headers.udp = {
        .src_port = kDiscardPort, .dst_port = kDiscardPort, .dgram_len = rte_cpu_to_be_16(udp_bytes), .dgram_cksum = 0};
    std::memset(bytes.data(), 0, bytes.size());
    std::memcpy(bytes.data(), &headers, sizeof headers);
}

void stamp(std::uint8_t* frame, std::uint64_t tsc) {
    const Payload payload{.magic = kMagic, .tsc = tsc};
    std::memcpy(frame + sizeof(Headers), &payload, sizeof payload);
}

std::uint64_t stamp_of(const std::uint8_t* frame, std::uint32_t bytes) {
    Payload payload{};
    if (bytes < sizeof(Headers) + sizeof payload) return 0;
    std::memcpy(&payload, frame + sizeof(Headers), sizeof payload);
    return payload.magic == kMagic ? payload.tsc : 0;
}

}  // namespace bulkhead::guest
