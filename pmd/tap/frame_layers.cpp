// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/frame_layers.h"

#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

namespace bulkhead {
namespace {

constexpr int kMaxVlanTags = 2;    ///< IEEE 802.1ad: service and customer tag
constexpr int kMaxExtensions = 8;  ///< RFC 8200, section 4.1 names seven, in at most this order

/// The bytes of the first segment; a read beyond them gives nothing.
struct Bytes {
    const std::uint8_t* data;
    std::uint32_t size;

    template <typename T>
    const T* at(std::uint32_t offset) const noexcept {
        if (size < sizeof(T) || offset > size - sizeof(T)) return nullptr;
        return reinterpret_cast<const T*>(data + offset);
    }
};

struct Extension {
    std::uint8_t next, length;  ///< length in units of 8 bytes, less the first
};

bool is_vlan(rte_be16_t type) noexcept {
    return type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type == RTE_BE16(RTE_ETHER_TYPE_QINQ);
}

std::optional<FrameLayers> ipv4_layers(const Bytes& bytes, std::uint16_t l2_len) noexcept {
    const auto* header = bytes.at<rte_ipv4_hdr>(l2_len);
    if (header == nullptr || header->version != 4 || header->ihl < 5) return std::nullopt;
    if ((header->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0) return std::nullopt;
    return FrameLayers{.l2_len = l2_len,
                       .l3_len = rte_ipv4_hdr_len(header),
                       .protocol = header->next_proto_id,
                       .ipv6 = false,
                       .l3_bytes = rte_be_to_cpu_16(header->total_length)};
}

std::optional<FrameLayers> ipv6_layers(const Bytes& bytes, std::uint16_t l2_len) noexcept {
    const auto* header = bytes.at<rte_ipv6_hdr>(l2_len);
    if (header == nullptr || (header->vtc_flow & RTE_BE32(0xf0000000)) != RTE_BE32(0x60000000)) return std::nullopt;
    const std::uint32_t payload = rte_be_to_cpu_16(header->payload_len);
    FrameLayers layers{.l2_len = l2_len,
                       .l3_len = sizeof(rte_ipv6_hdr),
                       .protocol = header->proto,
                       .ipv6 = true,
                       .l3_bytes = payload == 0 ? 0 : payload + static_cast<std::uint32_t>(sizeof(rte_ipv6_hdr))};
    for (int i = 0; i < kMaxExtensions; ++i) {
        const bool skippable = layers.protocol == IPPROTO_HOPOPTS || layers.protocol == IPPROTO_ROUTING ||
                               layers.protocol == IPPROTO_DSTOPTS;
        if (!skippable) return layers.protocol == IPPROTO_FRAGMENT ? std::nullopt : std::optional(layers);
        const auto* extension = bytes.at<Extension>(static_cast<std::uint32_t>(layers.l2_len) + layers.l3_len);
        if (extension == nullptr) return std::nullopt;
        layers.protocol = extension->next;
        layers.l3_len = static_cast<std::uint16_t>(layers.l3_len + (extension->length + 1U) * 8U);
    }
    return std::nullopt;
}

}  // namespace

std::optional<FrameLayers> find_layers(const rte_mbuf& frame) noexcept {
    const Bytes bytes{rte_pktmbuf_mtod(&frame, const std::uint8_t*), frame.data_len};
    const auto* ethernet = bytes.at<rte_ether_hdr>(0);
    if (ethernet == nullptr) return std::nullopt;
    std::uint16_t l2_len = sizeof(rte_ether_hdr);
    rte_be16_t type = ethernet->ether_type;
    for (int tags = 0; tags < kMaxVlanTags && is_vlan(type); ++tags) {
        const auto* tag = bytes.at<rte_vlan_hdr>(l2_len);
        if (tag == nullptr) return std::nullopt;
        type = tag->eth_proto;
        l2_len = static_cast<std::uint16_t>(l2_len + sizeof(rte_vlan_hdr));
    }
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) return ipv4_layers(bytes, l2_len);
    if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) return ipv6_layers(bytes, l2_len);
    return std::nullopt;
}

}  // namespace bulkhead
