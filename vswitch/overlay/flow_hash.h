// SPDX-License-Identifier: Apache-2.0
// One number for all frames of a flow: the entropy that a tunnel's outer header carries (RFC 7348, section 5; RFC 8926,
// section 3.3). Of the addresses, and of the ports where the first header shows them.
#pragma once

#include <cstdint>
#include <cstring>

#include <rte_hash_crc.h>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {

namespace flow_hash_detail {

template <typename Word>
[[nodiscard]] inline Word load(const std::uint8_t* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

[[nodiscard]] inline bool has_ports(std::uint8_t protocol) noexcept {
    constexpr std::uint64_t kTcpAndUdp = 1ULL << 6 | 1ULL << 17;
    return protocol < 64 && (kTcpAndUdp >> protocol & 1) != 0;
}

}  // namespace flow_hash_detail

/// `data` is the frame's first buffer, `length` what of it is there, at least an Ethernet header.
[[nodiscard]] inline std::uint32_t flow_hash(const std::uint8_t* data, std::uint32_t length) noexcept {
    using namespace flow_hash_detail;
    constexpr std::uint16_t kFragment = 0x3fff;
    std::uint32_t hash = rte_hash_crc_8byte(load<std::uint64_t>(data), 0);
    hash = rte_hash_crc_8byte(load<std::uint64_t>(data + 4), hash);
    const auto type = load_big_endian<std::uint16_t>(data + kMacPair);
    const std::uint8_t* const ip = data + kEthernetHeader;
    if (type == kEtherTypeIpv4 && length >= kEthernetHeader + 24U) {
        hash = rte_hash_crc_8byte(load<std::uint64_t>(ip + 12), hash);
        const bool shows_ports =
            ip[0] == 0x45 && has_ports(ip[9]) && (load_big_endian<std::uint16_t>(ip + 6) & kFragment) == 0;
        // A fragment must go the way of those without ports.
        return rte_hash_crc_4byte(shows_ports ? load<std::uint32_t>(ip + 20) : 0, hash);
    }
    if (type == kEtherTypeIpv6 && length >= kEthernetHeader + 44U) {
        for (std::uint16_t at = 8; at < 40; at = static_cast<std::uint16_t>(at + 8))
            hash = rte_hash_crc_8byte(load<std::uint64_t>(ip + at), hash);
        return rte_hash_crc_4byte(has_ports(ip[6]) ? load<std::uint32_t>(ip + 40) : 0, hash);
    }
    return hash;
}

}  // namespace bulkhead
