// SPDX-License-Identifier: Apache-2.0
// The stages of the frame's path, in their order, one file each. A stage looks only at frames without a verdict.
#pragma once

#include <cstdint>
#include <optional>

#include "vswitch/base/counters.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"
#include "vswitch/packet/ethernet.h"

struct rte_mempool;

namespace bulkhead {

class Learner;

/// Reads addresses and EtherType. Verdicts: truncated, bad_offload, source_invalid, reserved_multicast.
void parse(Batch& batch) noexcept;

/// (port, VLAN) → attachment → segment; pops the tag that chose the attachment, unless it keeps it; checks the
/// segment's MTU. Verdicts: port_gone, no_attachment, unknown_vlan, tagged_frame, mtu_exceeded, no_buffer.
void assign_segment(Batch& batch, const Snapshot& snapshot, rte_mempool* buffers) noexcept;

/// What senders say of themselves is what their attachments are, where `security` or `guards` ask for it: see
/// check_station(). Only for snapshots with a secured attachment.
void check_port_security(Batch& batch, const Snapshot& snapshot) noexcept;

/// Asks the MAC table for both addresses of every frame at once.
void find_macs(Batch& batch, const MacTable& macs) noexcept;

/// Which group each frame's sender is of; of frames out of tunnels decapsulate has said it. Only for snapshots that
/// exchange groups.
void identify_senders(Batch& batch, const Snapshot& snapshot) noexcept;

/// New or moved sources go to the learner; known ones are marked as seen. Of what comes back from a middlebox nothing
/// is learned that is known elsewhere. Verdicts: source_mac_owned, mac_move_limit.
void learn(Batch& batch, const Snapshot& snapshot, MacTable& macs, Learner& learner) noexcept;

/// Where the frame goes: one attachment, or everybody else in the segment. Verdicts: unknown_unicast, flood_disabled,
/// same_port, isolated, tagged_frame, port_gone, ring_probe.
void lookup(Batch& batch, const Snapshot& snapshot) noexcept;

/// Answers, in the owner's place, the requests for a MAC that the controller told (Snapshot::ip_owners) and that lookup
/// would send to everybody, or nobody in a segment that does not flood: the answer takes the request's row, and its
/// `egress` is where that came in. A unicast request goes on to whom it is for (RFC 4861, section 7.3.1). Verdict:
/// no_buffer.
void answer_requests(Batch& batch, const Snapshot& snapshot, const MacTable& macs, WorkerCounters& counters,
                     rte_mempool* buffers) noexcept;

/// The MAC that answer_requests() would answer a frame with, if it is one that it answers; nothing is done.
[[nodiscard]] std::optional<MacAddress> would_answer(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                                     const MacTable& macs) noexcept;

/// Where a frame came in that a middlebox sends on: at the attachment of its first sender, if that is known.
[[nodiscard]] inline AttachmentIndex first_ingress(const Batch& batch, std::uint16_t row,
                                                   const Snapshot& snapshot) noexcept {
    const AttachmentIndex ingress = batch.ingress[row];
    if (!snapshot.attachments[ingress].is_middlebox) [[likely]]
        return ingress;
    const AttachmentIndex known = batch.source_entry(row).attachment();
    const bool is_there =
        known < snapshot.attachments.size() && snapshot.attachments[known].segment == batch.segment[row];
    return is_there ? known : ingress;
}

/// What Batch::inner_vlan says of a tag that stays on its frame. A service tag is not the C-tag of the same number:
/// only attachments that carry tags take it.
[[nodiscard]] inline std::uint16_t inner_vlan(std::uint16_t ethertype, std::uint16_t tci) noexcept {
    constexpr std::uint16_t kVid = 0x0fff, kServiceTag = 0x1000;
    return static_cast<std::uint16_t>((tci & kVid) | (ethertype == kEtherTypeVlan ? 0 : kServiceTag));
}

/// Whether a frame with `inner_vlan` left on it (Batch::kUntagged: none) may leave by an attachment.
[[nodiscard]] inline bool accepts_tag(const AttachmentEntry& attachment, std::uint16_t inner_vlan) noexcept {
    if (inner_vlan == Batch::kUntagged) return true;
    return attachment.carries_tags || (attachment.keeps_tag && attachment.vlan == inner_vlan);
}

}  // namespace bulkhead
