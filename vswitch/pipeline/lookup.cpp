// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/ethernet.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

void flood_or_drop(Batch& batch, std::uint16_t row, const SegmentEntry& segment) noexcept {
    const bool group_address = is_multicast(batch.destination[row]);
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
    if (egress.port == batch.port) return batch.drop(row, DropReason::same_port);
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

}  // namespace

void lookup(Batch& batch, const Snapshot& snapshot) noexcept {
    const bool are_plain = batch.intact && !batch.has_tags;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const AttachmentIndex index = batch.destination_entry(row).attachment();
        if (are_plain && index < snapshot.attachments.size()) [[likely]] {
            const AttachmentEntry& egress = snapshot.attachments[index];
            if (egress.is_plain && egress.segment == batch.segment[row] && egress.port != batch.port) [[likely]] {
                batch.egress[row] = index;
                continue;
            }
        }
        look_up(batch, row, snapshot, index);
    }
}

}  // namespace bulkhead
