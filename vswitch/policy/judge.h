// SPDX-License-Identifier: Apache-2.0
// The verdict of a segment's policy about one frame and one receiver. Deciding changes nothing, so that explanations
// ask what the data path asks; what a frame that passes changes is done afterwards.
//
// Threads: decide() any; carry_out() workers.
#pragma once

#include <cstdint>

#include "vswitch/base/drop_reason.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/connection_track.h"
#include "vswitch/policy/flow.h"
#include "vswitch/policy/flow_ends.h"
#include "vswitch/policy/fragment_memory.h"
#include "vswitch/policy/ground.h"
#include "vswitch/policy/rule_set.h"
#include "vswitch/policy/segment_policy.h"

namespace bulkhead {

/// A flow and the name of its connection, if the segment has stateful rules and the flow could be of one.
struct Candidate {
    Flow flow;
    ConnectionKey key;
    std::uint64_t hash = 0;
    bool is_tracked = false;
};

struct Decision {
    DropReason reason = DropReason::none;
    Ground ground = Ground::none;
    std::uint16_t rule = RuleSet::kNone;  ///< within the segment
    bool opens = false;                   ///< its connection is to be opened
    bool renews = false;                  ///< its connection is found to be allowed by rules newer than those it has
    Connection* connection = nullptr;     ///< that it is of; of ground `rule`, too: one that these rules allow no more
    ConnectionStatus next;
};

class Judge {
  public:
    Judge(ConnectionTable& connections, FragmentMemory& fragments) : connections_(connections), fragments_(fragments) {}

    /// `flow` is dissected; gives it its connection's name.
    void name_connection(const SegmentPolicy& policy, Candidate& candidate) const noexcept;

    [[nodiscard]] Decision decide(const SegmentPolicy& policy, const Candidate& candidate, const FlowEnds& ends,
                                  std::span<const std::uint8_t> frame, std::uint32_t now_s) const noexcept;

    /// The rule that a flow's first frame meets; kNone: the default.
    [[nodiscard]] static std::uint16_t first_rule(const RuleSet& rules, const Flow& flow,
                                                  const FlowEnds& ends) noexcept;

    /// What follows from a decision. `port` is that by which the frame came in; it may open `share` connections. The
    /// reason is connection_limit where they are all open.
    [[nodiscard]] DropReason carry_out(const SegmentPolicy& policy, const Candidate& candidate,
                                       const Decision& decision, PortIndex port, std::uint32_t share,
                                       std::uint32_t now_s) noexcept;
    /// What carry_out() would say; nothing is done.
    [[nodiscard]] DropReason foretell(const Candidate& candidate, const Decision& decision, PortIndex port,
                                      std::uint32_t share) const noexcept;

  private:
    [[nodiscard]] Decision by_rules(const SegmentPolicy& policy, const Flow& flow, const FlowEnds& ends) const noexcept;
    [[nodiscard]] bool is_related(const Flow& error, std::span<const std::uint8_t> frame,
                                  std::uint32_t now_s) const noexcept;
    [[nodiscard]] Decision by_connection(const SegmentPolicy& policy, const Candidate& candidate, const FlowEnds& ends,
                                         std::uint32_t now_s) const noexcept;
    [[nodiscard]] Decision by_fragment(const SegmentPolicy& policy, const Flow& flow,
                                       std::uint32_t now_s) const noexcept;

    ConnectionTable& connections_;
    FragmentMemory& fragments_;
};

inline void Judge::name_connection(const SegmentPolicy& policy, Candidate& candidate) const noexcept {
    const FlowRole role = candidate.flow.role;
    candidate.is_tracked = policy.rules->has_stateful() && (role == FlowRole::opener || role == FlowRole::follower);
    if (!candidate.is_tracked) return;
    candidate.key = connection_key(candidate.flow);
    candidate.hash = connections_.hash(candidate.key);
}

[[nodiscard]] constexpr bool lets_pass(PolicyAction action) noexcept {
    return action == PolicyAction::allow || action == PolicyAction::redirect;
}

}  // namespace bulkhead
