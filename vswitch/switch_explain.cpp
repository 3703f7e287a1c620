// SPDX-License-Identifier: Apache-2.0
// What the switch says of its own decisions.
#include "vswitch/explain/explain_packet.h"
#include "vswitch/explain/policy_words.h"
#include "vswitch/switch_impl.h"
#include "vswitch/verify/verify_segment.h"

namespace bulkhead {

Result<PacketExplanation> Switch::explain_packet(const PacketQuestion& question) const {
    return bulkhead::explain_packet({.snapshot = *impl_->snapshots_.read(),
                                     .indices = impl_->indices_,
                                     .macs = *impl_->macs_,
                                     .rings = impl_->ring_guard_,
                                     .connections = *impl_->connections_,
                                     .fragments = impl_->fragments_,
                                     .buffers = impl_->settings_.buffers},
                                    question);
}

InstalledAnswer Switch::ask_installed_rules(const std::string& segment, const RuleQuestion& question) const {
    const auto index = impl_->indices_.segments.find(segment);
    const SegmentPolicy* const policy = index ? impl_->snapshots_.read()->segments[*index].policy.get() : nullptr;
    if (policy == nullptr) return {};
    const Judge judge(*impl_->connections_, impl_->fragments_);
    const FlowEnds ends{.from = impl_->policies_.class_of(segment, question.from_group),
                        .to = impl_->policies_.class_of(segment, question.to_group),
                        .source_mac = question.source_mac,
                        .destination_mac = question.destination_mac};
    const Candidate candidate{.flow = question.flow, .key = {}};
    const Decision decision = judge.decide(*policy, candidate, ends, {}, impl_->macs_->now_s());
    return {.rule = rule_name(Names(impl_->indices_), *policy, decision),
            .ground = decision.ground,
            .passes = decision.reason == DropReason::none};
}

SegmentVerification Switch::verify_segment(const VerificationQuestion& question) const {
    const InstalledTables tables{
        .snapshot = *impl_->snapshots_.read(), .indices = impl_->indices_, .policies = impl_->policies_};
    return bulkhead::verify_segment(tables, Judge(*impl_->connections_, impl_->fragments_), question);
}

}  // namespace bulkhead
