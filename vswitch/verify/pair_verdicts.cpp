// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/pair_verdicts.h"

#include <algorithm>

#include "vswitch/explain/policy_words.h"
#include "vswitch/explain/rule_steps.h"
#include "vswitch/security/check_station.h"

namespace bulkhead {
namespace {

constexpr const char* kNowhere = "the port that the rule redirects to is not there";

Verdict stopped(const std::string& why) {
    return {.passes = false, .ground = "port", .why = why};
}

/// Of ARP and Neighbor Discovery, where no rule decides.
Verdict resolution() {
    return {.passes = true, .ground = std::string(to_string(Ground::resolution))};
}

}  // namespace

Verdict InstalledSide::of(const FrameKind& kind, const FlowFields& fields) const {
    if (!obstacle.empty()) return stopped(obstacle);
    // What a station may say in ARP and Neighbor Discovery its rules ask of whole messages, which these are not.
    const StationRules* const station = snapshot.station_rules[from].get();
    if (station != nullptr && !kind.is_resolution() && !kind.is_plain_discovery) {
        const DropReason reason = check_station(*station, frame_of(fields));
        if (reason != DropReason::none) return stopped(std::string(describe(reason)));
    }
    if (policy == nullptr)
        return kind.is_resolution() ? resolution()
                                    : Verdict{.passes = true, .ground = std::string(to_string(Ground::none))};
    FlowEnds asked = ends;
    asked.source_mac = fields.source_mac.value();
    asked.destination_mac = fields.destination_mac.value();
    const Candidate candidate{.flow = flow_of(kind, fields), .key = {}};
    return of(judge.decide(*policy, candidate, asked, {}, 0));
}

Verdict InstalledSide::of(const Decision& decision) const {
    Verdict verdict{.passes = decision.reason == DropReason::none,
                    .ground = std::string(to_string(decision.ground)),
                    .rule = rule_name(names, *policy, decision)};
    if (decision.rule == RuleSet::kNone || (*policy->rules)[decision.rule].action != PolicyAction::redirect)
        return verdict;
    const AttachmentIndex target = policy->targets[decision.rule];
    if (target == from) return verdict;  // on its way, back from there
    verdict.passes = target != kNoAttachment;
    if (verdict.passes)
        verdict.via = names.place(target).port;
    else
        verdict.why = kNowhere;
    return verdict;
}

Verdict IntendedSide::of(const FrameKind& kind, const FlowSpace::Sample& sample) const {
    if (!obstacle.empty()) return stopped(obstacle);
    const RuleQuestion question{.flow = flow_of(kind, sample.fields),
                                .from_group = from_group,
                                .to_group = to_group,
                                .source_mac = sample.fields.source_mac.value(),
                                .destination_mac = sample.fields.destination_mac.value()};
    const RuleAnswer answer = ask_rules(sample.rules, otherwise, question);
    if (answer.rule != nullptr) return of(*answer.rule);
    if (kind.is_resolution()) return resolution();
    return {.passes = answer.passes, .ground = std::string(to_string(answer.ground))};
}

Verdict IntendedSide::of(const Policy& rule) const {
    Verdict verdict{
        .passes = rule.action != PolicyAction::deny, .ground = std::string(to_string(Ground::rule)), .rule = rule.name};
    if (rule.action != PolicyAction::redirect || rule.to_port == from_port) return verdict;
    const auto port = model.ports.find(rule.to_port);
    verdict.passes = port != model.ports.end() &&
                     std::ranges::any_of(port->second.attachments,
                                         [&](const Attachment& attachment) { return attachment.segment == segment; });
    if (verdict.passes)
        verdict.via = rule.to_port;
    else
        verdict.why = kNowhere;
    return verdict;
}

}  // namespace bulkhead
