// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/decapsulate.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/overlay/host_share.h"
#include "vswitch/overlay/outer_header.h"
#include "vswitch/overlay/outer_parse.h"
#include "vswitch/packet/ecn.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/pipeline/decapsulate_marked.h"
#include "vswitch/pipeline/strip_outer.h"

namespace bulkhead {
namespace {

void account_outer(const Batch& batch, std::uint64_t bytes, WorkerCounters& counters) noexcept {
    counters.ports[batch.port].rx_packets.add(batch.count);
    counters.ports[batch.port].rx_bytes.add(bytes);
    counters.books.received.add(batch.count);
}

/// What a burst has in common with its first frame, a plain one: the kind of header, and often the tunnel and the
/// segment. Compared in the order of the wire, as the first and the last octets of the header, which overlap; what may
/// differ from frame to frame is masked out.
class Likeness {
  public:
    /// `reads_groups`: senders' groups are something that may differ.
    Likeness(const std::uint8_t* first, const Outer& outer, bool reads_groups) noexcept
        : header_(outer.header_length),
          ip_(static_cast<std::uint16_t>(header_ - kPlain - options_length(outer.group_field))),
          origin_(origin_of(first)) {
        std::array<std::uint8_t, kLongest> mask;
        mask.fill(0xff);
        const auto ignore = [&mask](std::uint32_t at, std::uint32_t octets) { std::fill_n(&mask[at], octets, 0); };
        ignore(kMacPair / 2, kMacPair / 2);
        if (ip_ > kEthernetHeader) mask[kEthernetHeader] = 0x0f;  // PCP and DEI
        mask[ip_ + 1U] = kEcnMask;
        ignore(ip_ + 2U, 4);     // length, identification
        mask[ip_ + 6U] = 0xbf;   // DF
        ignore(ip_ + 8U, 1);     // TTL
        ignore(ip_ + 10U, 6);    // checksum, source
        ignore(ip_ + 20U, 2);    // UDP source port
        ignore(ip_ + 24U, 2);    // UDP length
        ignore(shim() + 4U, 4);  // VNI; the octet behind it is reserved, and ignored (RFC 7348, section 5)
        if (reads_groups && outer.group_field == GroupField::vxlan) {
            mask[shim()] = static_cast<std::uint8_t>(~kVxlanGroup);
            ignore(shim() + 1U, 3);
        } else if (reads_groups && outer.group_field == GroupField::geneve) {
            ignore(shim() + kShimHeader + kGroupOptionData, kGroupOption - kGroupOptionData);
        }
        load(front_mask_, mask.data());
        load(back_mask_, mask.data() + header_ - sizeof(Octets));
        load(front_, first);
        load(back_, first + header_ - sizeof(Octets));
    }

    /// Takes another frame, which has a whole header, into account.
    void add(const std::uint8_t* data, std::uint32_t length) noexcept {
        Octets front, back;
        load(front, data);
        load(back, data + header_ - sizeof(Octets));
        differs_ |= ((front ^ front_) & front_mask_) | ((back ^ back_) & back_mask_);
        const auto total = load_big_endian<std::uint16_t>(data + ip_ + 2),
                   udp = load_big_endian<std::uint16_t>(data + ip_ + 24);
        wrong_ |= (ip_ + std::uint32_t{total}) ^ length;
        wrong_ |= (kIpv4Header + std::uint32_t{udp}) ^ total;
        wrong_ |= ipv4_checksum_fault(data + ip_);
    }

    /// Whether all frames' headers are like the first one's and right in themselves, wherever they come from.
    [[nodiscard]] bool holds() const noexcept {
        return (differs_[0] | differs_[1] | differs_[2] | differs_[3] | wrong_) == 0;
    }

    /// Outer source and VNI of a frame.
    [[nodiscard]] Ipv4VniTable::Key origin_of(const std::uint8_t* data) const noexcept {
        return Ipv4VniTable::key(data + ip_ + 12, data + shim() + 4);
    }
    [[nodiscard]] Ipv4VniTable::Key origin() const noexcept { return origin_; }  ///< of the first frame
    /// Where VXLAN's or Geneve's header begins.
    [[nodiscard]] std::uint32_t shim() const noexcept { return ip_ + std::uint32_t{kIpv4Header + kUdpHeader}; }

  private:
    using Octets = std::uint64_t __attribute__((vector_size(32)));
    static constexpr std::uint16_t kPlain = kIpv4Header + kUdpHeader + kShimHeader;
    /// No longer than two vectors, so that the first and the last of them leave nothing out.
    static constexpr std::uint16_t kLongest = kEthernetHeader + kVlanTag + kPlain + kGroupOption;
    static_assert(kLongest <= 2 * sizeof(Octets));

    /// Not by value: how a vector is handed over differs between the CPUs that this is compiled for.
    static void load(Octets& octets, const std::uint8_t* at) noexcept { std::memcpy(&octets, at, sizeof octets); }

    std::uint16_t header_ = 0;  ///< octets before the inner frame
    std::uint16_t ip_ = 0;      ///< where the IPv4 header begins
    Ipv4VniTable::Key origin_ = 0;
    Octets front_{}, front_mask_{}, back_{}, back_mask_{};
    Octets differs_{};
    std::uint64_t wrong_ = 0;
};

/// Which attachment each frame belongs to, where not all are of one. False if some frame is of none.
bool find_origins(Batch& batch, const Ipv4VniTable& table, std::uint16_t udp_port,
                  const Batch::Column<Ipv4VniTable::Key>& origins) noexcept {
    bool known = true;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        batch.ingress[row] = table.find(origins[row], udp_port);
        known &= batch.ingress[row] != kNoAttachment;
    }
    return known;
}

/// What the headers of a burst that are alike say of its frames' senders, where that is believed.
void read_groups(Batch& batch, const Snapshot& snapshot, const Batch::Column<const std::uint8_t*>& data,
                 GroupField field, std::uint32_t shim) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const bool is_believed = snapshot.attachments[batch.ingress[row]].trusts_groups;
        batch.group[row] = is_believed ? read_group(field, data[row] + shim) : kNoGroupId;
    }
}

/// The usual burst: every frame out of a tunnel, with nothing unusual in its header. False, and nothing done, for any
/// other.
bool strip_alike(Batch& batch, const Snapshot& snapshot, const Batch::Column<const std::uint8_t*>& data) noexcept {
    const UnderlayEntry& underlay = *snapshot.ports[batch.port].underlay;
    const Outer first = parse_outer(batch.frames[0], underlay);
    if (first.kind != Outer::Kind::tunnelled || !first.is_plain) return false;
    Likeness likeness(data[0], first, snapshot.exchanges_groups);
    Batch::Column<Ipv4VniTable::Key> origins;
    Ipv4VniTable::Key strays = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const rte_mbuf* frame = batch.frames[row];
        if (frame->data_len < first.header_length) [[unlikely]]
            return false;
        likeness.add(data[row], frame->pkt_len);
        origins[row] = likeness.origin_of(data[row]);
        strays |= origins[row] ^ likeness.origin();
    }
    if (!likeness.holds()) return false;
    if (strays == 0)
        std::ranges::fill(batch.ingress, first.attachment);
    else if (!find_origins(batch, underlay.tunnels.ipv4(), first.udp_port, origins))
        return false;
    if (snapshot.exchanges_groups) [[unlikely]]
        read_groups(batch, snapshot, data, first.group_field, likeness.shim());
    for (std::uint16_t row = 0; row < batch.count; ++row) strip_outer(batch.frames[row], first.header_length);
    return true;
}

/// The frame inside, or a reason to drop it. Cuts off what the link padded.
DropReason open(rte_mbuf* frame, const Outer& outer) noexcept {
    strip_outer(frame, outer.header_length);
    if (frame->pkt_len > outer.frame_length &&
        rte_pktmbuf_trim(frame, static_cast<std::uint16_t>(frame->pkt_len - outer.frame_length)) != 0)
        return DropReason::bad_outer;
    if (outer.ecn == kNotEct || frame->data_len < kEthernetHeader) return DropReason::none;
    return pass_on_ecn(outer.ecn, frame) ? DropReason::none : DropReason::ecn_not_capable;
}

/// Frames for the host TAP: they go together.
struct HostBurst {
    std::uint16_t count = 0;
    Batch::Column<rte_mbuf*> frames;
};

/// False if the switch has no use for the frame, which is the host's then.
bool keeps(const UnderlayEntry& underlay, const Outer& outer, rte_mbuf* frame, HostBurst& host,
           WorkerCounters& counters) noexcept {
    const HostShare share = host_share(frame, underlay, outer);
    if (share == HostShare::none) return true;
    host.frames[host.count++] = frame;
    if (share == HostShare::alone) return false;
    counters.books.copies.add(1);
    rte_pktmbuf_refcnt_update(frame, 1);
    return true;
}

void strip_one_by_one(Batch& batch, const Snapshot& snapshot, WorkerCounters& counters, UnderlayExchange& exchange,
                      HostWire& wire) noexcept {
    const UnderlayEntry& underlay = *snapshot.ports[batch.port].underlay;
    HostBurst host;
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
        if (underlay.host != kNoPort && !keeps(underlay, outer, frame, host, counters)) continue;
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
        batch.group[kept] = snapshot.attachments[outer.attachment].trusts_groups ? outer.group : kNoGroupId;
        batch.ingress[kept++] = outer.attachment;
    }
    batch.count = kept;
    if (host.count > 0) wire.send(snapshot, underlay.host, host.frames.data(), host.count);
}

/// Of any other burst than the usual.
void take_apart(Batch& batch, const Snapshot& snapshot, WorkerCounters& counters, UnderlayExchange& exchange,
                HostWire& wire) noexcept {
    const PortIndex nic = snapshot.ports[batch.port].underlay->wire;
    if (nic == kNoPort) return strip_one_by_one(batch, snapshot, counters, exchange, wire);
    wire.send(snapshot, nic, batch.frames.data(), batch.count);
    batch.count = 0;
}

}  // namespace

BULKHEAD_CPU_CLONES void decapsulate(Batch& batch, const Snapshot& snapshot, WorkerCounters& counters,
                                     UnderlayExchange& exchange, HostWire& wire) noexcept {
    Batch::Column<const std::uint8_t*> data;
    std::uint64_t bytes = 0, flags = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        data[row] = rte_pktmbuf_mtod(batch.frames[row], const std::uint8_t*);
        rte_prefetch0(data[row]);
        rte_prefetch0(data[row] + RTE_CACHE_LINE_SIZE);
        bytes += batch.frames[row]->pkt_len;
        flags |= batch.frames[row]->ol_flags;
    }
    account_outer(batch, bytes, counters);
    if ((flags & kMarkFlags) != 0 && strip_marked(batch, snapshot, data, counters)) return;
    if (!strip_alike(batch, snapshot, data)) take_apart(batch, snapshot, counters, exchange, wire);
}

}  // namespace bulkhead
