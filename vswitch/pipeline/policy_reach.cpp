// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/policy_reach.h"

#include <rte_mbuf.h>

#include "vswitch/pipeline/stages.h"

namespace bulkhead {

DropReason Detour::obstacle(const Snapshot& snapshot, std::uint16_t inner_vlan) const noexcept {
    if (to == kNoAttachment) return DropReason::port_gone;
    return accepts_tag(snapshot.attachments[to], inner_vlan) ? DropReason::none : DropReason::tagged_frame;
}

std::span<const std::uint8_t> headers_of(const rte_mbuf* frame,
                                         std::span<std::uint8_t, kMostPolicyHeaders> scratch) noexcept {
    if (frame->nb_segs == 1) return {rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len};
    const std::uint32_t length = std::min<std::uint32_t>(frame->pkt_len, kMostPolicyHeaders);
    return {static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch.data())), length};
}

/// Of a frame that passes as part of a connection no rule has been asked for this receiver.
bool Hearing::may_reach(AttachmentIndex target, const FlowEnds& ends, const Decision& decision) const noexcept {
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

Hearing::Finding Hearing::of(const Batch& batch, std::uint16_t row, AttachmentIndex target) const noexcept {
    const FlowEnds ends = ends_of(batch, row, snapshot, target);
    Finding finding{.decision = judge.decide(policy, candidate, ends, frame, now_s)};
    finding.reaches = may_reach(target, ends, finding.decision);
    finding.detour = detour_of(policy, finding.decision.rule, batch.ingress[row]);
    return finding;
}

}  // namespace bulkhead
