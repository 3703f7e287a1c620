// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/overlay/ring_probe.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

void flood_or_drop(Batch& batch, std::uint16_t row, const SegmentEntry& segment) noexcept {
    const bool group_address = is_multicast(batch.destination[row]);
    // Between nodes only: no pod gets one, nor can it send one.
    if (is_ring_probe(batch.destination[row], batch.ethertype[row])) [[unlikely]]
        return batch.drop(row, DropReason::ring_probe);
    if (segment.flood == FloodMode::all || (segment.flood == FloodMode::known && group_address)) {
        batch.egress[row] = Batch::kFlood;
        return;
    }
    batch.drop(row, group_address ? DropReason::flood_disabled : DropReason::unknown_unicast);
}

void unicast(Batch& batch, std::uint16_t row, const Snapshot& snapshot, AttachmentIndex index) noexcept {
    const AttachmentEntry& egress = snapshot.attachments[index];
    const AttachmentEntry& ingress = snapshot.attachments[batch.ingress[row]];
    batch.egress[row] = index;
    if (egress.port == ingress.port) return batch.drop(row, DropReason::same_port);
    if (egress.is_mesh && ingress.is_mesh) return batch.drop(row, DropReason::split_horizon);
    if (egress.isolated && ingress.isolated) return batch.drop(row, DropReason::isolated);
    if (!accepts_tag(egress, batch.inner_vlan[row])) [[unlikely]]
        return batch.drop(row, DropReason::tagged_frame);
    if (snapshot.ports[egress.port].io == nullptr) [[unlikely]]
        batch.drop(row, DropReason::port_gone);
}

void look_up(Batch& batch, std::uint16_t row, const Snapshot& snapshot, AttachmentIndex index) noexcept {
    if (!batch.alive(row)) return;
    // Whatever the table says, a frame leaves only by an attachment of its own segment: isolation rests on the
    // immutable snapshot, not on shared mutable memory.
    const bool usable =
        index < snapshot.attachments.size() && snapshot.attachments[index].segment == batch.segment[row];
    if (usable && !is_multicast(batch.destination[row]))
        unicast(batch, row, snapshot, index);
    else
        flood_or_drop(batch, row, snapshot.segments[batch.segment[row]]);
}

/// Whether each frame goes to a reachable attachment of its segment on another port, which is then its `egress`.
/// Without a branch inside: which frames go where is nothing a CPU could predict. `own_word(row)` is the EgressWord of
/// the frame's ingress, with the tag that is on the frame.
template <typename OwnWord>
bool are_unicast(Batch& batch, const Snapshot& snapshot, OwnWord own_word) noexcept {
    const AttachmentEntry* const attachments = snapshot.attachments.data();
    const std::size_t size = snapshot.attachments.size();
    std::uint64_t differs = 0, reachable = EgressWord::kReachable, returns = 0, meshes = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const AttachmentIndex index = batch.destination_entry(row).attachment();
        // Without an entry it is looked up as if it went back where it came from.
        const std::uint64_t word = attachments[index < size ? index : batch.ingress[row]].egress_word();
        const std::uint64_t own = own_word(row);
        differs |= word ^ own;
        reachable &= word;
        returns |= ((word ^ own) & EgressWord::kPort) - 1;  // negative if it is the same port
        meshes |= word & own;
        batch.egress[row] = index;
    }
    const bool unicast = (differs & EgressWord::kSegment) == 0 && reachable != 0 && returns >> 63 == 0 &&
                         (meshes & EgressWord::kMesh) == 0;
    batch.leaves_as_is = unicast && (differs & EgressWord::kVlan) == 0;
    return unicast;
}

bool are_unicast(Batch& batch, const Snapshot& snapshot) noexcept {
    const AttachmentEntry* const attachments = snapshot.attachments.data();
    if (batch.attachment != kNoAttachment) {
        // Without its VLAN: where the frames are all of one attachment, none has a tag.
        const std::uint64_t own_word = attachments[batch.attachment].egress_word() & ~EgressWord::kVlan;
        return are_unicast(batch, snapshot, [own_word](std::uint16_t) { return own_word; });
    }
    if (batch.is_decapsulated)
        return are_unicast(batch, snapshot,
                           [&](std::uint16_t row) { return attachments[batch.ingress[row]].egress_word(); });
    return are_unicast(batch, snapshot, [&batch](std::uint16_t row) {
        return EgressWord::of(batch.port, batch.segment[row], batch.tag[row]);
    });
}

}  // namespace

BULKHEAD_CPU_CLONES void lookup(Batch& batch, const Snapshot& snapshot) noexcept {
    batch.leaves_as_is = false;
    if (batch.intact && !batch.has_inner_tags && are_unicast(batch, snapshot)) [[likely]]
        return;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        look_up(batch, row, snapshot, batch.destination_entry(row).attachment());
}

}  // namespace bulkhead
