// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/ecn.h"

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

struct Inside {
    std::uint16_t type = 0;  ///< EtherType behind all tags, 0 if it is not there
    std::uint16_t ip = 0;    ///< where the packet begins
};

Inside inside_of(const std::uint8_t* data, std::uint32_t length) noexcept {
    constexpr int kMostTags = 2;
    std::uint16_t at = kMacPair;
    for (int tags = 0; tags <= kMostTags && at + 2U <= length; ++tags) {
        const auto type = load_big_endian<std::uint16_t>(data + at);
        if (!is_vlan_ethertype(type)) {
            const auto ip = static_cast<std::uint16_t>(at + 2);
            return length >= std::uint32_t{ip} + kIpv4Header ? Inside{type, ip} : Inside{};
        }
        at = static_cast<std::uint16_t>(at + kVlanTag);
    }
    return {};
}

/// RFC 1624, equation 3: the header's checksum after one of its words has changed.
void update_checksum(std::uint8_t* ip, std::uint16_t before, std::uint16_t after) noexcept {
    const auto old_sum = static_cast<std::uint16_t>(~load_big_endian<std::uint16_t>(ip + 10));
    std::uint32_t sum = old_sum + static_cast<std::uint16_t>(~before) + std::uint32_t{after};
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    store_big_endian16(ip + 10, static_cast<std::uint16_t>(~sum));
}

void set_ecn_v4(std::uint8_t* ip, std::uint8_t ecn) noexcept {
    const auto before = load_big_endian<std::uint16_t>(ip);
    const auto after = static_cast<std::uint16_t>((before & ~kEcnMask) | ecn);
    store_big_endian16(ip, after);
    update_checksum(ip, before, after);
}

void set_ecn_v6(std::uint8_t* ip, std::uint8_t ecn) noexcept {
    ip[1] = static_cast<std::uint8_t>((ip[1] & ~(kEcnMask << 4)) | ecn << 4);
}

}  // namespace

std::uint8_t traffic_class_of(const std::uint8_t* data, std::uint32_t length) noexcept {
    const Inside inside = inside_of(data, length);
    if (inside.type == kEtherTypeIpv4) return data[inside.ip + 1];
    if (inside.type == kEtherTypeIpv6)
        return static_cast<std::uint8_t>(load_big_endian<std::uint16_t>(data + inside.ip) >> 4);
    return 0;
}

bool pass_on_ecn(std::uint8_t outer, rte_mbuf* frame) noexcept {
    auto* const data = rte_pktmbuf_mtod(frame, std::uint8_t*);
    const Inside inside = inside_of(data, frame->data_len);
    const bool is_v4 = inside.type == kEtherTypeIpv4, is_v6 = inside.type == kEtherTypeIpv6;
    if (!is_v4 && !is_v6) return outer != kCongested;
    const std::uint8_t inner = traffic_class_of(data, frame->data_len) & kEcnMask;
    if (outer == kCongested && inner == kNotEct) return false;
    const bool changes = outer == kCongested ? inner != kCongested : outer == kEct1 && inner == kEct0;
    if (!changes) return true;
    if (is_v4)
        set_ecn_v4(data + inside.ip, outer);
    else
        set_ecn_v6(data + inside.ip, outer);
    return true;
}

}  // namespace bulkhead
