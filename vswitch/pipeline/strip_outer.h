// SPDX-License-Identifier: Apache-2.0
// Parts of taking a tunnel's header off.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ip.h"

namespace bulkhead {

/// Takes the first `octets` off, which lie in the first buffer.
inline void strip_outer(rte_mbuf* frame, std::uint16_t octets) noexcept {
    frame->data_off = static_cast<std::uint16_t>(frame->data_off + octets);
    frame->data_len = static_cast<std::uint16_t>(frame->data_len - octets);
    frame->pkt_len -= octets;
}

/// An IPv4 header without options: 0 if its checksum is right. The ones' complement sum of its 16-bit words is all ones
/// then (RFC 1071), so that their plain sum divides by 65,535, as does that of the 32-bit words in either byte order. A
/// number that divides by an odd one gives the small quotient when it is multiplied by the odd one's inverse modulo
/// 2^64, and any other number gives something beyond all quotients.
[[nodiscard]] inline std::uint64_t ipv4_checksum_fault(const std::uint8_t* ip) noexcept {
    constexpr std::uint64_t kInverse = 0xfffe'fffe'fffe'ffff;
    constexpr unsigned kQuotientBits = 20;  // five words of 32 bits, by 65,535
    static_assert(kInverse * 0xffff == 1);
    std::array<std::uint32_t, kIpv4Header / 4> words;
    std::memcpy(words.data(), ip, sizeof words);
    const std::uint64_t sum = std::uint64_t{words[0]} + words[1] + words[2] + words[3] + words[4];
    return sum * kInverse >> kQuotientBits;
}

}  // namespace bulkhead
