// SPDX-License-Identifier: Apache-2.0
#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/vlan.h"
#include "vswitch/pipeline/deliver.h"
#include "vswitch/pipeline/flood.h"

namespace bulkhead {
namespace {

void count_no_buffer(WorkerCounters& counters, AttachmentIndex attachment) noexcept {
    constexpr auto kReason = static_cast<std::size_t>(DropReason::no_buffer);
    counters.attachments[attachment].drops[kReason].add(1);
    counters.books.drops[kReason].add(1);
}

/// A frame of its own without the tag that chose its attachment; null when there is no buffer. Takes `frame`.
rte_mbuf* without_tag(rte_mbuf* frame, rte_mempool* buffers) noexcept {
    if (!make_writable(frame, buffers)) [[unlikely]] {
        rte_pktmbuf_free(frame);
        return nullptr;
    }
    pop_vlan(frame);
    return frame;
}

/// A frame of its own with the tag that `egress` wants; null when there is no buffer. Takes `frame`.
rte_mbuf* with_tag(rte_mbuf* frame, std::uint16_t tci, rte_mempool* buffers) noexcept {
    if (push_vlan(frame, tci)) [[likely]]
        return frame;
    rte_mbuf* copy = tagged_copy(frame, tci, buffers);
    rte_pktmbuf_free(frame);
    return copy;
}

std::uint16_t tci_of(const AttachmentEntry& egress, const Batch& batch, std::uint16_t row) noexcept {
    return static_cast<std::uint16_t>(egress.vlan | batch.priority[row]);
}

void send_one(const Batch& batch, std::uint16_t row, const Snapshot& snapshot, AttachmentIndex index,
              Transmitter& transmitter, WorkerCounters& counters, rte_mempool* buffers) noexcept {
    const AttachmentEntry& egress = snapshot.attachments[index];
    rte_mbuf* frame = batch.frames[row];
    const bool tag_is_there =
        egress.vlan == batch.tag[row] || (egress.keeps_tag && batch.inner_vlan[row] == egress.vlan);
    if (batch.tag[row] != 0 && !tag_is_there) frame = without_tag(frame, buffers);
    if (frame != nullptr && egress.vlan != 0 && !tag_is_there)
        frame = with_tag(frame, tci_of(egress, batch, row), buffers);
    if (frame == nullptr) [[unlikely]]
        return count_no_buffer(counters, index);
    transmitter.send(snapshot, index, snapshot.exchanges_groups ? batch.group[row] : kNoGroupId, frame);
}

void flood(Batch& batch, std::uint16_t row, const Snapshot& snapshot, PolicyStage& policy, Transmitter& transmitter,
           WorkerCounters& counters, rte_mempool* buffers, MirrorStage* mirrors) noexcept {
    const Flood flood{snapshot, snapshot.attachments[batch.ingress[row]], batch.inner_vlan[row]};
    std::span<const AttachmentIndex> members = snapshot.segments[batch.segment[row]].members;
    if (policy.has_say(batch, row, snapshot)) {
        members = policy.recipients(batch, row, snapshot, members,
                                    [&flood](AttachmentIndex index) { return flood.reaches(index); });
        if (!batch.alive(row)) return;
    }
    std::uint32_t targets = 0;
    AttachmentIndex only = kNoAttachment;
    for (const AttachmentIndex index : members) {
        if (!flood.reaches(index)) continue;
        only = index;
        ++targets;
    }
    if (targets == 0) return batch.drop(row, DropReason::no_destination);
    if (mirrors != nullptr) [[unlikely]]
        mirrors->watch_flooded(batch, row, members, flood);
    if (targets == 1) return send_one(batch, row, snapshot, only, transmitter, counters, buffers);
    if (batch.tag[row] != 0) {
        // Once, and not for each target.
        batch.frames[row] = without_tag(batch.frames[row], buffers);
        batch.tag[row] = 0;
        if (batch.frames[row] == nullptr) [[unlikely]]
            return count_no_buffer(counters, batch.ingress[row]);
    }
    counters.books.copies.add(targets - 1);
    rte_mbuf* frame = batch.frames[row];
    // Every target holds a reference until its port is done with the frame. Those that want a tag use theirs up to make
    // a header of their own in front of the shared payload.
    rte_pktmbuf_refcnt_update(frame, static_cast<std::int16_t>(targets - 1));
    for (const AttachmentIndex index : members)
        if (flood.reaches(index)) send_one(batch, row, snapshot, index, transmitter, counters, buffers);
}

bool leave_by_one_attachment(const Batch& batch) noexcept {
    bool same = true;
    for (std::uint16_t row = 0; row < batch.count; ++row) same &= batch.egress[row] == batch.egress[0];
    return same;
}

bool leave_by_one_port(const Batch& batch, const Snapshot& snapshot) noexcept {
    const PortIndex port = snapshot.attachments[batch.egress[0]].out_port;
    bool same = true;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        same &= snapshot.attachments[batch.egress[row]].out_port == port;
    return same;
}

/// Sends them as they stand and together, if they go one way.
bool send_together(Batch& batch, const Snapshot& snapshot, Transmitter& transmitter) noexcept {
    if (!batch.intact || batch.is_demanding || !batch.leaves_as_is) return false;
    const bool one_attachment = leave_by_one_attachment(batch);
    if (!one_attachment && !leave_by_one_port(batch, snapshot)) return false;
    if (batch.has_outer_tags)
        for (std::uint32_t& length : batch.length) length += kVlanTag;
    if (one_attachment)
        transmitter.send_all(snapshot, batch.egress[0], batch);
    else
        transmitter.send_all(snapshot, batch);
    return true;
}

}  // namespace

BULKHEAD_CPU_CLONES void replicate(Batch& batch, const Snapshot& snapshot, PolicyStage& policy,
                                   Transmitter& transmitter, WorkerCounters& counters, rte_mempool* buffers,
                                   MirrorStage* mirrors) noexcept {
    if (send_together(batch, snapshot, transmitter)) [[likely]]
        return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row)) [[unlikely]]
            continue;
        if (batch.egress[row] == Batch::kFlood) [[unlikely]]
            flood(batch, row, snapshot, policy, transmitter, counters, buffers, mirrors);
        else
            send_one(batch, row, snapshot, batch.egress[row], transmitter, counters, buffers);
    }
}

}  // namespace bulkhead
