// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/udp_checksum.h"

#include <cstring>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "vswitch/packet/chain_checksum.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kChecksumField = 6;

/// Sum of the pseudo-header and all of the datagram, in memory order; 0xffff if the checksum among them is right.
std::uint16_t sum_of(const rte_mbuf* frame, const UdpPlace& place) noexcept {
    std::uint16_t raw = 0;
    if (!chain_checksum(frame, place.udp, place.length, raw)) return 0;
    const std::uint16_t pseudo =
        place.is_v4 ? rte_ipv4_phdr_cksum(rte_pktmbuf_mtod_offset(frame, const rte_ipv4_hdr*, place.ip), 0)
                    : rte_ipv6_phdr_cksum(rte_pktmbuf_mtod_offset(frame, const rte_ipv6_hdr*, place.ip), 0);
    const std::uint32_t sum = std::uint32_t{raw} + pseudo;
    return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

}  // namespace

bool is_udp_checksum_good(const rte_mbuf* frame, const UdpPlace& place) noexcept {
    return sum_of(frame, place) == 0xffff;
}

void fill_udp_checksum(rte_mbuf* frame, const UdpPlace& place) noexcept {
    auto checksum = static_cast<std::uint16_t>(~sum_of(frame, place));
    if (checksum == 0) checksum = 0xffff;  // zero would say that there is none
    std::memcpy(rte_pktmbuf_mtod_offset(frame, std::uint8_t*, place.udp + kChecksumField), &checksum, sizeof checksum);
}

}  // namespace bulkhead
