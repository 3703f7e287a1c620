// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/mirror_reach.h"

#include <rte_mbuf.h>

#include "vswitch/pipeline/flood.h"
#include "vswitch/pipeline/policy_reach.h"

namespace bulkhead {
namespace {

std::uint64_t matches(const RuleSet& rules, const Flow& flow, const FlowEnds& ends) noexcept {
    std::uint64_t matched = 0;
    for (std::uint16_t rule = rules.first_match(flow, ends); rule != RuleSet::kNone;
         rule = rules.first_match(flow, ends, static_cast<std::uint16_t>(rule + 1)))
        matched |= 1ULL << rule;
    return matched;
}

}  // namespace

std::uint64_t matching_mirrors(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                               const SegmentMirrors& mirrors,
                               std::span<std::uint8_t, kMostPolicyHeaders> scratch) noexcept {
    const rte_mbuf* const frame = batch.frames[row];
    Flow flow;
    dissect(headers_of(frame, scratch), frame->pkt_len, flow);
    flow.role = FlowRole::stateless;  // a rule that copies is asked about ARP and Neighbor Discovery like about any
    if (batch.egress[row] != Batch::kFlood)
        return matches(*mirrors.rules, flow, ends_of(batch, row, snapshot, batch.egress[row]));
    if (!mirrors.asks_receiver) {
        FlowEnds ends = ends_of(batch, row, snapshot, batch.ingress[row]);
        ends.to = kNoGroup;
        return matches(*mirrors.rules, flow, ends);
    }
    const Flood flood{snapshot, snapshot.attachments[batch.ingress[row]], batch.inner_vlan[row]};
    std::uint64_t matched = 0;
    for (const AttachmentIndex member : snapshot.segments[batch.segment[row]].members)
        if (flood.reaches(member)) matched |= matches(*mirrors.rules, flow, ends_of(batch, row, snapshot, member));
    return matched;
}

}  // namespace bulkhead
