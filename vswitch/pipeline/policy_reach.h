// SPDX-License-Identifier: Apache-2.0
// What policy says of one frame and those that it could leave by. The stage and explanations ask the same functions;
// they change nothing but the list that is weeded.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "vswitch/base/drop_reason.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/policy/dissect.h"
#include "vswitch/policy/judge.h"

struct rte_mbuf;

namespace bulkhead {

/// Where a rule redirects frames to that did not come from there; kNoAttachment: it does not, or they are back.
struct Detour {
    bool is_one = false;
    AttachmentIndex to = kNoAttachment;  ///< none: what they should pass through is not there

    /// Why the frame can't take it.
    [[nodiscard]] DropReason obstacle(const Snapshot& snapshot, std::uint16_t inner_vlan) const noexcept;
};

[[nodiscard]] inline Detour detour_of(const SegmentPolicy& policy, std::uint16_t rule,
                                      AttachmentIndex ingress) noexcept {
    if (rule == RuleSet::kNone || (*policy.rules)[rule].action != PolicyAction::redirect) return {};
    const AttachmentIndex target = policy.targets[rule];
    return {.is_one = target != ingress, .to = target};
}

[[nodiscard]] inline FlowEnds ends_of(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                      AttachmentIndex egress) noexcept {
    // What comes back from a middlebox is still its first sender's.
    const AttachmentIndex from = first_ingress(batch, row, snapshot);
    return {.from = snapshot.attachments[from].trusts_groups ? batch.group_class[row] : snapshot.group_classes[from],
            .to = snapshot.group_classes[egress],
            .source_mac = batch.source[row],
            .destination_mac = batch.destination[row]};
}

/// The beginning of a frame, in one piece: its own, or as much as `scratch` takes.
[[nodiscard]] std::span<const std::uint8_t> headers_of(const rte_mbuf* frame,
                                                       std::span<std::uint8_t, kMostPolicyHeaders> scratch) noexcept;

/// A frame for many, before its judge.
struct Hearing {
    const Judge& judge;
    const Snapshot& snapshot;
    const SegmentPolicy& policy;
    const Candidate& candidate;
    std::span<const std::uint8_t> frame;  ///< its beginning, where more than the flow may be asked about
    std::uint32_t now_s = 0;

    struct Finding {
        Decision decision;
        bool reaches = false;  ///< it may go there, or where the detour leads
        Detour detour;
    };
    /// About one of those that it could leave by.
    [[nodiscard]] Finding of(const Batch& batch, std::uint16_t row, AttachmentIndex target) const noexcept;

  private:
    [[nodiscard]] bool may_reach(AttachmentIndex target, const FlowEnds& ends, const Decision& decision) const noexcept;
};

/// Leaves those of `recipients`, which has room for one more, that the frame may go to; calls `found(target, finding)`
/// for each. Returns a decision that lets the frame pass, or else any.
template <typename Found>
Decision weed(const Hearing& hearing, const Batch& batch, std::uint16_t row, std::vector<AttachmentIndex>& recipients,
              Found found) noexcept {
    Decision decisive;
    bool passes = false;
    AttachmentIndex middlebox = kNoAttachment;
    std::erase_if(recipients, [&](AttachmentIndex target) {
        const Hearing::Finding finding = hearing.of(batch, row, target);
        found(target, finding);
        if (finding.reaches || !passes) decisive = finding.decision;
        passes |= finding.reaches;
        if (finding.reaches && finding.detour.is_one) middlebox = finding.detour.to;
        return !finding.reaches || finding.detour.is_one;
    });
    const Detour detour{.is_one = true, .to = middlebox};
    const bool takes_detour = std::ranges::find(recipients, middlebox) == recipients.end() &&
                              detour.obstacle(hearing.snapshot, batch.inner_vlan[row]) == DropReason::none;
    if (takes_detour) recipients.push_back(middlebox);
    // A connection may reach nobody here, and be all right.
    if (!passes && decisive.reason == DropReason::none) decisive.reason = DropReason::policy_denied;
    return decisive;
}

}  // namespace bulkhead
