// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/vlan.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kVidMask = 0x0fff;
constexpr std::uint16_t kPriorityMask = 0xf000;

/// Takes the outer tag off, first giving the frame a copy of its own if others share it.
bool pop(Batch& batch, std::uint16_t row, rte_mempool* buffers) noexcept {
    if (!make_writable(batch.frames[row], buffers)) [[unlikely]] {
        batch.drop(row, DropReason::no_buffer);
        return false;
    }
    pop_vlan(batch.frames[row]);
    batch.length[row] -= kVlanTag;
    return true;
}

/// What stands after the addresses once the frame is in its segment: another tag may be left there.
void note_inner_tag(Batch& batch, std::uint16_t row, const AttachmentEntry& attachment) noexcept {
    const rte_mbuf* frame = batch.frames[row];
    if (frame->data_len < kEthernetHeader + kVlanTag) return batch.drop(row, DropReason::truncated);
    const auto* data = rte_pktmbuf_mtod(frame, const std::uint8_t*);
    batch.ethertype[row] = load_big_endian<std::uint16_t>(data + kMacPair);
    if (!is_vlan_ethertype(batch.ethertype[row])) return;
    batch.inner_vlan[row] = inner_vlan(batch.ethertype[row], load_big_endian<std::uint16_t>(data + kMacPair + 2));
    if (!accepts_tag(attachment, batch.inner_vlan[row])) batch.drop(row, DropReason::tagged_frame);
}

/// The attachment of a frame whose first EtherType is that of a tag; pops the tag unless it is to stay.
AttachmentIndex attachment_of_tagged(Batch& batch, std::uint16_t row, const Snapshot& snapshot, const PortEntry& port,
                                     rte_mempool* buffers) noexcept {
    const rte_mbuf* frame = batch.frames[row];
    if (frame->data_len < kEthernetHeader + kVlanTag) {
        batch.drop(row, DropReason::truncated);
        return kNoAttachment;
    }
    const std::uint16_t tci =
        load_big_endian<std::uint16_t>(rte_pktmbuf_mtod(frame, const std::uint8_t*) + kMacPair + 2);
    const std::uint16_t vlan = tci & kVidMask;
    const bool customer_tag = batch.ethertype[row] == kEtherTypeVlan;
    AttachmentIndex index = port.untagged;
    // VID 0 only gives a priority: the frame counts as untagged (IEEE 802.1Q-2018, 6.9.1).
    bool pops = customer_tag && vlan == 0;
    if (customer_tag && vlan != 0 && port.by_vlan) {
        index = (*port.by_vlan)[vlan];
        pops = index != kNoAttachment && !snapshot.attachments[index].keeps_tag;
    }
    if (index == kNoAttachment) {
        batch.drop(row, port.by_vlan ? DropReason::unknown_vlan : DropReason::no_attachment);
        return kNoAttachment;
    }
    if (pops) {
        batch.priority[row] = tci & kPriorityMask;
        if (!pop(batch, row, buffers)) return index;
    }
    return index;
}

bool exceeds_mtu(const rte_mbuf* frame, std::uint16_t mtu, bool tagged) noexcept {
    const std::uint32_t header = kEthernetHeader + (tagged ? kVlanTag : 0U);
    if (frame->pkt_len <= header + mtu) [[likely]]
        return false;
    // A super-segment is judged by the packets it will become (RFC 791 length: IP and TCP headers and one segment).
    if ((frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0) return true;
    return static_cast<std::uint32_t>(frame->l3_len) + frame->l4_len + frame->tso_segsz > mtu;
}

/// A frame that came with a tag may have another, or one that nobody took off; then it may be longer by that.
void check_tag_and_mtu(Batch& batch, std::uint16_t row, const AttachmentEntry& attachment) noexcept {
    if (is_vlan_ethertype(batch.ethertype[row])) [[unlikely]]
        note_inner_tag(batch, row, attachment);
    const bool keeps_tag = batch.inner_vlan[row] != Batch::kUntagged;
    batch.has_inner_tags |= keeps_tag;
    if (batch.alive(row) && exceeds_mtu(batch.frames[row], attachment.mtu, keeps_tag)) [[unlikely]]
        batch.drop(row, DropReason::mtu_exceeded);
}

/// Untagged frames of one access port, none too long: all of one attachment.
bool are_alike(const Batch& batch, const Snapshot& snapshot, AttachmentIndex untagged) noexcept {
    if (!batch.intact || batch.has_tags || untagged == kNoAttachment) return false;
    return batch.longest <= static_cast<std::uint32_t>(kEthernetHeader) + snapshot.attachments[untagged].mtu;
}

void assign_all(Batch& batch, const Snapshot& snapshot, AttachmentIndex attachment) noexcept {
    std::ranges::fill(batch.ingress, attachment);
    std::ranges::fill(batch.segment, snapshot.attachments[attachment].segment);
    std::ranges::fill(batch.tag, 0);
    std::ranges::fill(batch.inner_vlan, Batch::kUntagged);
    std::ranges::fill(batch.priority, 0);
    batch.attachment = attachment;
}

/// Frames of a trunk, each with one C-tag that names an attachment, none too long: assigned with their tags left on
/// them. False, and nothing done, where some frame asks for a closer look.
bool assign_tagged(Batch& batch, const Snapshot& snapshot, const PortEntry& port) noexcept {
    if (!batch.intact || !batch.has_tags || batch.is_demanding || !port.by_vlan) return false;
    const VlanTable& by_vlan = *port.by_vlan;
    Batch::Column<std::uint16_t> inner_type;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const rte_mbuf* frame = batch.frames[row];
        if (batch.ethertype[row] != kEtherTypeVlan || frame->data_len < kEthernetHeader + 2 * kVlanTag) return false;
        const auto tag_and_type =
            load_big_endian<std::uint32_t>(rte_pktmbuf_mtod(frame, const std::uint8_t*) + kMacPair + 2);
        const auto tci = static_cast<std::uint16_t>(tag_and_type >> 16);
        inner_type[row] = static_cast<std::uint16_t>(tag_and_type);
        batch.tag[row] = tci & kVidMask;
        batch.priority[row] = tci & kPriorityMask;
        const AttachmentIndex index = by_vlan[tci & kVidMask];
        if (index == kNoAttachment || is_vlan_ethertype(inner_type[row])) return false;
        const AttachmentEntry& attachment = snapshot.attachments[index];
        const std::uint32_t longest = static_cast<std::uint32_t>(kEthernetHeader + kVlanTag) + attachment.mtu;
        if (attachment.keeps_tag || batch.length[row] > longest) return false;
        batch.ingress[row] = index;
        batch.segment[row] = attachment.segment;
    }
    std::ranges::fill(batch.inner_vlan, Batch::kUntagged);
    batch.ethertype = inner_type;
    for (std::uint32_t& length : batch.length) length -= kVlanTag;
    batch.attachment = kNoAttachment;
    batch.has_outer_tags = true;
    return true;
}

/// Frames out of tunnels have their attachments already.
void assign_tunnelled(Batch& batch, const Snapshot& snapshot) noexcept {
    const AttachmentIndex first = batch.ingress[0];
    const AttachmentEntry* const attachments = snapshot.attachments.data();
    bool alike = batch.intact, fit = batch.intact && !batch.has_tags;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const AttachmentEntry& attachment = attachments[batch.ingress[row]];
        alike &= batch.ingress[row] == first;
        fit &= batch.length[row] <= static_cast<std::uint32_t>(kEthernetHeader) + attachment.mtu;
        batch.segment[row] = attachment.segment;
    }
    std::ranges::fill(batch.tag, 0);
    std::ranges::fill(batch.inner_vlan, Batch::kUntagged);
    std::ranges::fill(batch.priority, 0);
    batch.attachment = alike ? first : kNoAttachment;
    if (fit) [[likely]]
        return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (batch.alive(row)) check_tag_and_mtu(batch, row, attachments[batch.ingress[row]]);
    }
    if (!batch.intact) batch.attachment = kNoAttachment;
}

}  // namespace

BULKHEAD_CPU_CLONES void assign_segment(Batch& batch, const Snapshot& snapshot, rte_mempool* buffers) noexcept {
    const PortEntry& port = snapshot.ports[batch.port];
    batch.has_outer_tags = batch.has_inner_tags = false;
    if (batch.is_decapsulated) return assign_tunnelled(batch, snapshot);
    if (are_alike(batch, snapshot, port.untagged)) [[likely]]
        return assign_all(batch, snapshot, port.untagged);
    if (assign_tagged(batch, snapshot, port)) return;
    batch.attachment = kNoAttachment;
    std::ranges::fill(batch.ingress, kNoAttachment);
    std::ranges::fill(batch.segment, kNoSegment);
    std::ranges::fill(batch.tag, 0);
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row)) continue;
        batch.inner_vlan[row] = Batch::kUntagged;
        batch.priority[row] = 0;
        AttachmentIndex index = port.untagged;
        const bool tagged = is_vlan_ethertype(batch.ethertype[row]);
        if (tagged) [[unlikely]]
            index = attachment_of_tagged(batch, row, snapshot, port, buffers);
        else if (index == kNoAttachment) [[unlikely]]
            batch.drop(row, DropReason::no_attachment);
        if (index == kNoAttachment) [[unlikely]]
            continue;
        const AttachmentEntry& attachment = snapshot.attachments[index];
        batch.ingress[row] = index;
        batch.segment[row] = attachment.segment;
        if (batch.alive(row)) check_tag_and_mtu(batch, row, attachment);
    }
}

}  // namespace bulkhead
