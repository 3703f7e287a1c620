// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/encapsulate.h"

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/overlay/flow_hash.h"
#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/udp_checksum.h"
#include "vswitch/packet/ecn.h"
#include "vswitch/packet/vlan.h"

namespace bulkhead {
namespace {

/// The frame's own octets: behind an empty buffer that make_room put before them, if it did.
struct Contents {
    const std::uint8_t* data;
    std::uint32_t length;  ///< of what lies in one piece
};

Contents contents_of(const rte_mbuf* frame) noexcept {
    if (frame->data_len == 0 && frame->next != nullptr) [[unlikely]]
        frame = frame->next;
    return {rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len};
}

/// What the outer header tells of the packet inside.
struct Flow {
    std::uint32_t hash = 0;
    std::uint8_t traffic_class = 0;
};

Flow flow_of(const Contents& contents) noexcept {
    const std::uint32_t hash = flow_hash(contents.data, contents.length);
    const bool is_plain = contents.length >= kEthernetHeader + kIpv4Header &&
                          load_big_endian<std::uint16_t>(contents.data + kMacPair) == kEtherTypeIpv4;
    if (is_plain) [[likely]]
        return {hash, contents.data[kEthernetHeader + 1]};
    return {hash, traffic_class_of(contents.data, contents.length)};
}

void prepend(rte_mbuf* frame, std::uint16_t octets) noexcept {
    frame->data_off = static_cast<std::uint16_t>(frame->data_off - octets);
    frame->data_len = static_cast<std::uint16_t>(frame->data_len + octets);
    frame->pkt_len += octets;
}

void write_groups(const TunnelEntry& tunnel, rte_mbuf* const* frames, const GroupId* groups,
                  std::uint16_t count) noexcept {
    const std::uint32_t shim = tunnel.header.length - kShimHeader;
    for (std::uint16_t at = 0; at < count; ++at)
        write_group(tunnel.group_field, rte_pktmbuf_mtod(frames[at], std::uint8_t*) + shim, groups[at]);
}

void fill_checksum(rte_mbuf* frame, const OuterHeader& header) noexcept {
    const auto udp = static_cast<std::uint16_t>(header.length - kShimHeader - kUdpHeader);
    fill_udp_checksum(frame, {.ip = static_cast<std::uint16_t>(udp - (header.is_v4 ? kIpv4Header : kIpv6Header)),
                              .udp = udp,
                              .length = frame->pkt_len - udp,
                              .is_v4 = header.is_v4});
}

/// `kOptions`: octets that are left free behind the header.
template <std::uint16_t kOptions>
void put_headers(const TunnelEntry& tunnel, std::uint64_t next_hop, std::uint32_t vni, rte_mbuf** frames,
                 std::uint16_t count) noexcept {
    const OuterHeader header = tunnel.header;  // which what is written below can't change, as far as compilers know
    const std::uint8_t passed_on = tunnel.copies_dscp ? 0xff : kEcnMask;
    for (std::uint16_t at = 0; at < count; ++at) {
        rte_mbuf* const frame = frames[at];
        const Flow flow = flow_of(contents_of(frame));
        write_outer(
            header, rte_pktmbuf_mtod(frame, std::uint8_t*) - kOptions,
            {.destination = next_hop,
             .frame_length = static_cast<std::uint16_t>(frame->pkt_len + kOptions),
             .vni = vni,
             .flow_hash = flow.hash,
             .traffic_class = static_cast<std::uint8_t>(tunnel.traffic_class | (flow.traffic_class & passed_on))});
        prepend(frame, static_cast<std::uint16_t>(header.length + kOptions));
    }
}

}  // namespace

BULKHEAD_CPU_CLONES bool all_have_room(rte_mbuf* const* frames, const std::uint32_t* lengths, std::uint16_t count,
                                       std::uint32_t longest) noexcept {
    std::uint64_t bad = 0;
    for (std::uint16_t at = 0; at < count; ++at) {
        const rte_mbuf* const frame = frames[at];
        bad |= frame->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
        bad |= static_cast<std::uint64_t>(frame->refcnt ^ 1U);
        bad |= static_cast<std::uint64_t>(frame->data_off < OuterHeader::kRoomWithOptions) |
               static_cast<std::uint64_t>(lengths[at] > longest);
    }
    return bad == 0;
}

bool make_room(rte_mbuf*& frame, bool may_chain, rte_mempool* buffers) noexcept {
    if (is_writable(frame) && rte_pktmbuf_headroom(frame) >= OuterHeader::kRoomWithOptions) [[likely]]
        return true;
    if (!may_chain) {
        rte_mbuf* const copy = rte_pktmbuf_copy(frame, buffers, 0, UINT32_MAX);
        if (copy == nullptr) return false;
        rte_pktmbuf_free(frame);
        frame = copy;
        return true;
    }
    rte_mbuf* const front = rte_pktmbuf_alloc(buffers);
    if (front == nullptr) return false;
    // The reference that we hold to the frame's buffers becomes that of the chain.
    front->next = frame;
    front->nb_segs = static_cast<std::uint16_t>(frame->nb_segs + 1);
    front->pkt_len = frame->pkt_len;
    frame = front;
    return true;
}

BULKHEAD_CPU_CLONES void encapsulate(const TunnelEntry& tunnel, std::uint64_t next_hop, std::uint32_t vni,
                                     rte_mbuf** frames, const GroupId* groups, std::uint16_t count) noexcept {
    if (options_length(tunnel.group_field) == 0) [[likely]]
        put_headers<0>(tunnel, next_hop, vni, frames, count);
    else
        put_headers<kGroupOption>(tunnel, next_hop, vni, frames, count);
    if (tunnel.group_field != GroupField::none) [[unlikely]]
        write_groups(tunnel, frames, groups, count);
    if (tunnel.has_udp_checksum)
        for (std::uint16_t at = 0; at < count; ++at) fill_checksum(frames[at], tunnel.header);
}

}  // namespace bulkhead
