// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/policy_words.h"

namespace bulkhead {
namespace {

std::string spoken_rule(const Names& names, const SegmentPolicy& policy, const Decision& decision,
                        AttachmentIndex ingress) {
    std::string text = "rule " + rule_name(names, policy, decision);
    const PolicyAction action = (*policy.rules)[decision.rule].action;
    const AttachmentIndex target = policy.targets[decision.rule];
    if (!lets_pass(action)) return text + " denies it";
    if (action == PolicyAction::allow)
        text += " allows it";
    else if (target == kNoAttachment)
        text += " redirects it to a port that is not there";
    else if (target == ingress)
        text += " lets it go on, back from where it redirects to";
    else
        text += " redirects it to " + names.spoken(target);
    return text + (decision.opens ? ", and a connection would be opened" : "");
}

}  // namespace

std::string_view to_string(Ground ground) {
    switch (ground) {
        case Ground::rule:
            return "rule";
        case Ground::none:
            return "none";
        case Ground::connection:
            return "connection";
        case Ground::related:
            return "related";
        case Ground::resolution:
            return "resolution";
        case Ground::fragment:
            return "fragment";
        case Ground::headers:
            return "headers";
    }
    return {};
}

std::string rule_name(const Names& names, const SegmentPolicy& policy, const Decision& decision) {
    return decision.rule == RuleSet::kNone ? std::string() : names.rule((*policy.rules)[decision.rule].index);
}

std::string spoken(const Names& names, const SegmentPolicy& policy, const Decision& decision, DropReason reason,
                   AttachmentIndex ingress) {
    const bool passes = reason == DropReason::none;
    if (reason != decision.reason) return std::string(describe(reason));
    switch (decision.ground) {
        case Ground::rule:
            return spoken_rule(names, policy, decision, ingress);
        case Ground::none:
            return passes ? "no rule decides, and the segment allows" : "no rule decides, and the segment denies";
        case Ground::connection:
            return "of a connection that rule " + rule_name(names, policy, decision) +
                   (decision.renews ? " allows, too" : " let through");
        case Ground::related:
            return "an ICMP error about a connection";
        case Ground::resolution:
            return "ARP or Neighbor Discovery, which no rule decides about";
        case Ground::fragment:
            if (reason == DropReason::fragment_unjudged) break;
            return passes ? "a fragment like the first, which passed" : "a fragment like the first, which was denied";
        case Ground::headers:
            break;
    }
    return std::string(describe(reason));
}

}  // namespace bulkhead
