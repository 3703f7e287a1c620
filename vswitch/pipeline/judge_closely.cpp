// SPDX-License-Identifier: Apache-2.0
// The verdict about frames that are not the usual ones, or that open connections, are denied, or take a detour.
#include <algorithm>

#include <rte_mbuf.h>

#include "vswitch/pipeline/apply_policy.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

/// Where a rule redirects frames to that did not come from there; kNoAttachment: it does not, or they are back.
struct Detour {
    bool is_one = false;
    AttachmentIndex to = kNoAttachment;  ///< none: what they should pass through is not there
};

Detour detour_of(const SegmentPolicy& policy, std::uint16_t rule, AttachmentIndex ingress) noexcept {
    if (rule == RuleSet::kNone || (*policy.rules)[rule].action != PolicyAction::redirect) return {};
    const AttachmentIndex target = policy.targets[rule];
    return {.is_one = target != ingress, .to = target};
}

}  // namespace

std::span<const std::uint8_t> PolicyStage::headers_of(const rte_mbuf* frame) noexcept {
    if (frame->nb_segs == 1) [[likely]]
        return {rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len};
    const std::uint32_t length = std::min<std::uint32_t>(frame->pkt_len, kMostPolicyHeaders);
    return {static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch_.data())), length};
}

std::span<const std::uint8_t> PolicyStage::quoting(const Batch& batch, std::uint16_t row) noexcept {
    if (candidates_[row].flow.role != FlowRole::error) [[likely]]
        return {};
    return headers_of(batch.frames[row]);
}

void PolicyStage::read_headers(const Batch& batch, std::span<const std::uint16_t> rows,
                               const Snapshot& snapshot) noexcept {
    for (const std::uint16_t row : rows) {
        policies_[row] = snapshot.segments[batch.segment[row]].policy.get();
        if (policies_[row] == nullptr) continue;
        Candidate& candidate = candidates_[row];
        candidate.flow.segment = batch.segment[row];
        dissect(headers_of(batch.frames[row]), batch.frames[row]->pkt_len, candidate.flow);
        judge_.name_connection(*policies_[row], candidate);
        if (candidate.is_tracked) connections_.prefetch(candidate.hash);
    }
    for (const std::uint16_t row : rows)
        if (policies_[row] != nullptr && candidates_[row].is_tracked)
            connections_.prefetch_connection(candidates_[row].hash);
}

FlowEnds PolicyStage::ends_of(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                              AttachmentIndex egress) const noexcept {
    AttachmentIndex from = batch.ingress[row];
    // What comes back from a middlebox is still its first sender's.
    if (snapshot.attachments[from].is_middlebox) [[unlikely]] {
        const AttachmentIndex known = batch.source_entry(row).attachment();
        if (known < snapshot.attachments.size() && snapshot.attachments[known].segment == batch.segment[row])
            from = known;
    }
    return {.from = snapshot.group_classes[from],
            .to = snapshot.group_classes[egress],
            .source_mac = batch.source[row],
            .destination_mac = batch.destination[row]};
}

void PolicyStage::count(const SegmentPolicy& policy, std::uint16_t rule, std::uint32_t length) noexcept {
    if (rule == RuleSet::kNone) return;
    RuleCounters& counted = counters_.rules[(*policy.rules)[rule].index];
    counted.packets.add(1);
    counted.bytes.add(length);
}

void PolicyStage::judge_unicast(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept {
    const SegmentPolicy& policy = *policies_[row];
    const std::uint32_t now = macs_.now_s();
    const FlowEnds ends = ends_of(batch, row, snapshot, batch.egress[row]);
    const Decision decision = judge_.decide(policy, candidates_[row], ends, quoting(batch, row), now);
    count(policy, decision.rule, batch.length[row]);
    const PortIndex port = snapshot.attachments[batch.ingress[row]].port;
    const DropReason reason =
        judge_.carry_out(policy, candidates_[row], decision, port, snapshot.connection_shares[port], now);
    if (reason != DropReason::none) return batch.drop(row, reason);
    const Detour detour = detour_of(policy, decision.rule, batch.ingress[row]);
    if (!detour.is_one) [[likely]]
        return;
    if (detour.to == kNoAttachment) return batch.drop(row, DropReason::port_gone);
    if (!accepts_tag(snapshot.attachments[detour.to], batch.inner_vlan[row]))
        return batch.drop(row, DropReason::tagged_frame);
    batch.egress[row] = detour.to;
    batch.leaves_as_is = false;
}

void PolicyStage::judge_closely(Batch& batch, const Snapshot& snapshot, std::span<const std::uint16_t> rows) noexcept {
    read_headers(batch, rows, snapshot);
    for (const std::uint16_t row : rows)
        if (policies_[row] != nullptr && batch.egress[row] != Batch::kFlood) judge_unicast(batch, row, snapshot);
}

/// Of a frame that passes as part of a connection no rule has been asked for this receiver.
bool PolicyStage::may_reach(const Snapshot& snapshot, const SegmentPolicy& policy, const Candidate& candidate,
                            AttachmentIndex target, const FlowEnds& ends, const Decision& decision) const noexcept {
    if (decision.reason != DropReason::none) return false;
    if (decision.ground != Ground::connection) return true;
    if (candidate.key.from_low != decision.next.opened_from_low) {
        const auto origin = ConnectionOrigin::of(decision.connection->origin.load(std::memory_order_relaxed));
        return snapshot.attachments[target].port == origin.port;
    }
    Flow opener = candidate.flow;
    opener.role = FlowRole::opener;
    const std::uint16_t rule = Judge::first_rule(*policy.rules, opener, ends);
    return rule == RuleSet::kNone ? policy.otherwise == DefaultPolicy::allow : lets_pass((*policy.rules)[rule].action);
}

void PolicyStage::weed_recipients(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept {
    const SegmentPolicy& policy = *policies_[row];
    const Candidate& candidate = candidates_[row];
    const std::uint32_t now = macs_.now_s();
    const std::span<const std::uint8_t> frame = quoting(batch, row);
    Decision decisive;  // one that lets the frame pass, or else any
    bool passes = false;
    AttachmentIndex middlebox = kNoAttachment;
    std::erase_if(recipients_, [&](AttachmentIndex target) {
        const FlowEnds ends = ends_of(batch, row, snapshot, target);
        const Decision decision = judge_.decide(policy, candidate, ends, frame, now);
        const bool reaches = may_reach(snapshot, policy, candidate, target, ends, decision);
        if (reaches || !passes) decisive = decision;
        passes |= reaches;
        const Detour detour = detour_of(policy, decision.rule, batch.ingress[row]);
        if (reaches && detour.is_one) middlebox = detour.to;
        return !reaches || detour.is_one;
    });
    const bool takes_detour = middlebox != kNoAttachment &&
                              std::ranges::find(recipients_, middlebox) == recipients_.end() &&
                              accepts_tag(snapshot.attachments[middlebox], batch.inner_vlan[row]);
    if (takes_detour) recipients_.push_back(middlebox);
    count(policy, decisive.rule, batch.length[row]);
    // A connection may reach nobody here, and be all right.
    if (!passes && decisive.reason == DropReason::none) decisive.reason = DropReason::policy_denied;
    const PortIndex port = snapshot.attachments[batch.ingress[row]].port;
    DropReason reason = judge_.carry_out(policy, candidate, decisive, port, snapshot.connection_shares[port], now);
    if (reason == DropReason::none && recipients_.empty()) reason = DropReason::port_gone;
    if (reason == DropReason::none) return;
    recipients_.clear();
    batch.drop(row, reason);
}

}  // namespace bulkhead
