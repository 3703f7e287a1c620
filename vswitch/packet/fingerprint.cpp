// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/fingerprint.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

using Head = std::array<std::uint8_t, 128>;

/// Where the checksum of TCP (RFC 9293, section 3.1) or UDP (RFC 768) stands in its header; 0: neither of them.
std::size_t checksum_in(std::uint8_t protocol) noexcept {
    constexpr std::uint8_t kTcp = 6, kUdp = 17;
    if (protocol == kTcp) return 16;
    return protocol == kUdp ? 6 : 0;
}

/// The checksum's place in an IP packet's head; 0: none.
std::size_t checksum_at(std::uint16_t ethertype, const Head& head) noexcept {
    constexpr std::uint16_t kLaterFragment = 0x1fff;
    std::size_t header = 0, offset = 0;
    if (ethertype == kEtherTypeIpv4 && (load_big_endian<std::uint16_t>(&head[6]) & kLaterFragment) == 0) {
        header = (head[0] & 0x0fU) * 4U;
        offset = checksum_in(head[9]);
    } else if (ethertype == kEtherTypeIpv6) {
        header = 40;
        offset = checksum_in(head[6]);
    }
    return offset == 0 ? 0 : header + offset;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15ULL;
    hash = (hash ^ word) * kOdd;
    return hash ^ (hash >> 29);
}

}  // namespace

std::uint64_t fingerprint(const rte_mbuf* frame, const FrameIdentity& identity, std::uint64_t secret) noexcept {
    Head scratch, head{};
    const std::uint32_t begin = static_cast<std::uint32_t>(kEthernetHeader) + identity.tag_length;
    const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len - begin, head.size()));
    if (const void* bytes = rte_pktmbuf_read(frame, begin, size, scratch.data()); bytes != nullptr)
        std::memcpy(head.data(), bytes, size);
    if (const std::size_t at = checksum_at(identity.ethertype, head); at != 0 && at + 2 <= head.size())
        head[at] = head[at + 1] = 0;

    const std::uint64_t length = std::max<std::uint32_t>(identity.length, kShortestFrame);
    std::uint64_t hash = mix(secret, identity.segment << 48 | identity.destination);
    hash = mix(hash, identity.source << 16 | identity.ethertype);
    hash = mix(hash, length);
    for (std::size_t at = 0; at < head.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word;
        std::memcpy(&word, &head[at], sizeof word);
        hash = mix(hash, word);
    }
    return mix(hash, secret);
}

}  // namespace bulkhead
