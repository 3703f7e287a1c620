// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/decapsulate.h"

#include <algorithm>

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/outer_parse.h"
#include "vswitch/packet/ecn.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

void account_outer(const Batch& batch, WorkerCounters& counters) noexcept {
    std::uint64_t bytes = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) bytes += batch.frames[row]->pkt_len;
    counters.ports[batch.port].rx_packets.add(batch.count);
    counters.ports[batch.port].rx_bytes.add(bytes);
    counters.books.received.add(batch.count);
}

void strip(rte_mbuf* frame, std::uint16_t header) noexcept {
    frame->data_off = static_cast<std::uint16_t>(frame->data_off + header);
    frame->data_len = static_cast<std::uint16_t>(frame->data_len - header);
    frame->pkt_len -= header;
}

/// What a burst has in common with its first frame: the same tunnel, segment and kind of header. Kept as words of the
/// outer header, where whatever may differ from frame to frame is masked out.
struct Likeness {
    std::uint16_t ip = 0;  ///< where the IPv4 header begins
    std::uint64_t mac = 0, type_mask = 0, type = 0;
    std::uint64_t source = 0, destination = 0, shim = 0;
    std::uint32_t vni = 0;

    static constexpr std::uint64_t kFirst = 0xff03'0000'0000'bfffULL;  // version, ECN, fragment; DF may be set or not
    static constexpr std::uint64_t kFirstWanted = 0x4500'0000'0000'0000ULL;
    static constexpr std::uint64_t kSource = 0x00ff'0000'ffff'ffffULL;       // protocol, address
    static constexpr std::uint64_t kDestination = 0xffff'ffff'0000'ffffULL;  // address, UDP port
    static constexpr std::uint64_t kShim = 0x0000'ffff'ffff'ffffULL;         // UDP checksum, VXLAN's or Geneve's flags

    Likeness(const std::uint8_t* first, const UnderlayEntry& underlay) noexcept
        : ip(static_cast<std::uint16_t>(kEthernetHeader + (underlay.vlan == 0 ? 0 : kVlanTag))),
          mac(underlay.mac),
          type_mask(underlay.vlan == 0 ? 0xffffULL : 0xffff'0fff'ffffULL),
          type(underlay.vlan == 0
                   ? kEtherTypeIpv4
                   : std::uint64_t{kEtherTypeVlan} << 32 | std::uint64_t{underlay.vlan} << 16 | kEtherTypeIpv4),
          source(load(first, 8) & kSource),
          destination(load(first, 16) & kDestination),
          shim(load(first, 24) & kShim),
          vni(load_big_endian<std::uint32_t>(first + ip + 32)) {}

    [[nodiscard]] std::uint64_t load(const std::uint8_t* data, std::uint16_t at) const noexcept {
        return load_big_endian<std::uint64_t>(data + ip + at);
    }

    /// 0 if this frame's header is like the first one's and right in itself.
    [[nodiscard]] std::uint64_t differs(const std::uint8_t* data, std::uint32_t length) const noexcept {
        const std::uint64_t w0 = load(data, 0), w1 = load(data, 8), w2 = load(data, 16), w3 = load(data, 24);
        std::uint64_t other = (load_big_endian<std::uint64_t>(data) >> 16) ^ mac;
        other |= (load_big_endian<std::uint64_t>(data + ip - 8) & type_mask) ^ type;
        other |= (w0 & kFirst) ^ kFirstWanted;
        other |= ((w1 & kSource) ^ source) | ((w2 & kDestination) ^ destination) | ((w3 & kShim) ^ shim);
        other |= load_big_endian<std::uint32_t>(data + ip + 32) ^ vni;
        const std::uint64_t total = w0 >> 32 & 0xffff, udp_length = w3 >> 48;
        other |= (ip + total) ^ length;
        other |= (kIpv4Header + udp_length) ^ total;
        std::uint64_t sum = (w0 >> 32) + (w0 & 0xffff'ffff) + (w1 >> 32) + (w1 & 0xffff'ffff) + (w2 >> 32);
        sum = (sum >> 32) + (sum & 0xffff'ffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum = (sum >> 16) + (sum & 0xffff);
        return other | (sum ^ 0xffff);
    }
};

/// The usual burst: all from one node and of one segment, with nothing unusual in any header. False, and nothing done,
/// for any other.
bool strip_alike(Batch& batch, const UnderlayEntry& underlay) noexcept {
    const Outer first = parse_outer(batch.frames[0], underlay);
    if (first.kind != Outer::Kind::tunnelled || !first.is_plain) return false;
    const Likeness likeness(rte_pktmbuf_mtod(batch.frames[0], const std::uint8_t*), underlay);
    std::uint64_t differs = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const rte_mbuf* frame = batch.frames[row];
        if (frame->data_len < first.header_length) [[unlikely]]
            return false;
        differs |= likeness.differs(rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->pkt_len);
    }
    if (differs != 0) return false;
    for (std::uint16_t row = 0; row < batch.count; ++row) strip(batch.frames[row], first.header_length);
    std::ranges::fill(batch.ingress, first.attachment);
    return true;
}

/// The frame inside, or a reason to drop it. Cuts off what the link padded.
DropReason open(rte_mbuf* frame, const Outer& outer) noexcept {
    strip(frame, outer.header_length);
    if (frame->pkt_len > outer.frame_length &&
        rte_pktmbuf_trim(frame, static_cast<std::uint16_t>(frame->pkt_len - outer.frame_length)) != 0)
        return DropReason::bad_outer;
    if (outer.ecn == kNotEct || frame->data_len < kEthernetHeader) return DropReason::none;
    return pass_on_ecn(outer.ecn, frame) ? DropReason::none : DropReason::ecn_not_capable;
}

void strip_one_by_one(Batch& batch, const UnderlayEntry& underlay, WorkerCounters& counters,
                      UnderlayExchange& exchange) noexcept {
    const auto drop = [&](rte_mbuf* frame, DropReason reason) {
        counters.ports[batch.port].drops[static_cast<std::size_t>(reason)].add(1);
        counters.books.drops[static_cast<std::size_t>(reason)].add(1);
        rte_pktmbuf_free(frame);
    };
    std::uint16_t kept = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        rte_mbuf* const frame = batch.frames[row];
        const Outer outer = parse_outer(frame, underlay);
        DropReason reason = outer.reason;
        if (outer.kind == Outer::Kind::for_node) {
            if (exchange.hand_up(frame, batch.port)) {
                counters.books.consumed.add(1);
                continue;
            }
            reason = DropReason::control_busy;
        } else if (outer.kind == Outer::Kind::tunnelled) {
            reason = open(frame, outer);
        }
        if (reason != DropReason::none) {
            drop(frame, reason);
            continue;
        }
        batch.frames[kept] = frame;
        batch.ingress[kept++] = outer.attachment;
    }
    batch.count = kept;
}

}  // namespace

BULKHEAD_CPU_CLONES void decapsulate(Batch& batch, const Snapshot& snapshot, WorkerCounters& counters,
                                     UnderlayExchange& exchange) noexcept {
    const UnderlayEntry& underlay = *snapshot.ports[batch.port].underlay;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const auto* data = rte_pktmbuf_mtod(batch.frames[row], const std::uint8_t*);
        rte_prefetch0(data);
        rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
    }
    account_outer(batch, counters);
    if (!strip_alike(batch, underlay)) strip_one_by_one(batch, underlay, counters, exchange);
}

}  // namespace bulkhead
