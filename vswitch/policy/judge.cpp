// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/judge.h"

#include "vswitch/policy/dissect.h"

namespace bulkhead {
namespace {

using enum DropReason;

/// The packet that a connection began with, as far as rules ask, given one of its other direction.
Flow opener_of(const Flow& flow, bool is_from_opener) noexcept {
    Flow opener = flow;
    opener.role = FlowRole::opener;
    if (is_from_opener) return opener;
    opener.source = flow.destination;
    opener.destination = flow.source;
    opener.source_port = flow.destination_port;
    opener.destination_port = flow.source_port;
    opener.service = flow.source_port;  // a query's type stands there, too
    return opener;
}

FlowEnds opener_of(const FlowEnds& ends, bool is_from_opener) noexcept {
    if (is_from_opener) return ends;
    return {.from = ends.to, .to = ends.from, .source_mac = ends.destination_mac, .destination_mac = ends.source_mac};
}

/// What can't be the beginning of a connection, and is of none.
bool is_stray(const Flow& flow) noexcept {
    return flow.role == FlowRole::follower || flow.role == FlowRole::error || flow.role == FlowRole::untracked;
}

/// Newer rules allow it, too.
void renew(Connection& connection, std::uint16_t rule, std::uint32_t generation) noexcept {
    auto origin = ConnectionOrigin::of(connection.origin.load(std::memory_order_relaxed));
    origin.rule = rule;
    origin.generation = generation;
    connection.origin.store(origin.word(), std::memory_order_relaxed);
}

Decision refused(DropReason reason, Ground ground) noexcept {
    return {.reason = reason, .ground = ground};
}

}  // namespace

std::uint16_t Judge::first_rule(const RuleSet& rules, const Flow& flow, const FlowEnds& ends) noexcept {
    std::uint16_t rule = rules.first_match(flow, ends);
    while (rule != RuleSet::kNone) {
        const CompiledRule& met = rules[rule];
        const bool passes_by =
            met.action == PolicyAction::mirror || (met.stateful && lets_pass(met.action) && is_stray(flow));
        if (!passes_by) break;
        rule = rules.first_match(flow, ends, static_cast<std::uint16_t>(rule + 1));
    }
    return rule;
}

Decision Judge::by_rules(const SegmentPolicy& policy, const Flow& flow, const FlowEnds& ends) const noexcept {
    const RuleSet& rules = *policy.rules;
    const std::uint16_t rule = first_rule(rules, flow, ends);
    if (rule == RuleSet::kNone) {
        if (flow.role == FlowRole::resolution) return {.ground = Ground::resolution};
        return {.reason = policy.otherwise == DefaultPolicy::allow ? none : policy_default, .ground = Ground::none};
    }
    const CompiledRule& met = rules[rule];
    if (!lets_pass(met.action)) return {.reason = policy_denied, .ground = Ground::rule, .rule = rule};
    return {.ground = Ground::rule, .rule = rule, .opens = met.stateful && flow.role == FlowRole::opener};
}

Decision Judge::by_connection(const SegmentPolicy& policy, const Candidate& candidate, const FlowEnds& ends,
                              std::uint32_t now_s) const noexcept {
    Connection* const connection = connections_.find(candidate.key, candidate.hash);
    if (connection == nullptr) return by_rules(policy, candidate.flow, ends);
    const Progress progress = bulkhead::progress(*connection, candidate.key, candidate.flow, now_s);
    if (progress.following == Following::stray) {
        Flow stray = candidate.flow;
        stray.role = FlowRole::untracked;
        return by_rules(policy, stray, ends);
    }
    if (progress.following == Following::over) return by_rules(policy, candidate.flow, ends);
    const auto origin = ConnectionOrigin::of(connection->origin.load(std::memory_order_relaxed));
    Decision decision{
        .ground = Ground::connection, .rule = origin.rule, .connection = connection, .next = progress.next};
    if (origin.generation == policy.generation) [[likely]]
        return decision;
    const bool is_from_opener = candidate.key.from_low == progress.next.opened_from_low;
    const Decision anew = by_rules(policy, opener_of(candidate.flow, is_from_opener), opener_of(ends, is_from_opener));
    if (anew.opens) {
        decision.rule = anew.rule;
        decision.renews = true;
        return decision;
    }
    Decision without = by_rules(policy, candidate.flow, ends);
    without.connection = connection;
    return without;
}

bool Judge::is_related(const Flow& error, std::span<const std::uint8_t> frame, std::uint32_t now_s) const noexcept {
    const Flow quoted = dissect_quoted(frame, error);
    const bool names_one = quoted.role == FlowRole::opener || quoted.role == FlowRole::follower;
    if (!names_one || quoted.source != error.destination) return false;
    const ConnectionKey key = connection_key(quoted);
    const Connection* const connection = connections_.find(key, connections_.hash(key));
    return connection != nullptr && !is_over(*connection, now_s);
}

Decision Judge::by_fragment(const SegmentPolicy& policy, const Flow& flow, std::uint32_t now_s) const noexcept {
    const auto first = fragments_.find(flow, policy.epoch, now_s);
    if (!first) return refused(fragment_unjudged, Ground::fragment);
    Decision decision{.ground = Ground::fragment};
    if (first->rule < policy.rules->size()) decision.rule = first->rule;
    if (!first->passes) decision.reason = decision.rule == RuleSet::kNone ? policy_default : policy_denied;
    return decision;
}

Decision Judge::decide(const SegmentPolicy& policy, const Candidate& candidate, const FlowEnds& ends,
                       std::span<const std::uint8_t> frame, std::uint32_t now_s) const noexcept {
    const Flow& flow = candidate.flow;
    if (candidate.is_tracked) [[likely]]
        return by_connection(policy, candidate, ends, now_s);
    switch (flow.role) {
        case FlowRole::unreadable:
            return refused(unreadable_headers, Ground::headers);
        case FlowRole::torn:
            return refused(fragment_unjudged, Ground::headers);
        case FlowRole::later_fragment:
            return by_fragment(policy, flow, now_s);
        case FlowRole::resolution:
            return policy.rules->names_resolution() ? by_rules(policy, flow, ends)
                                                    : Decision{.ground = Ground::resolution};
        case FlowRole::error:
            if (policy.rules->has_stateful() && is_related(flow, frame, now_s)) return {.ground = Ground::related};
            [[fallthrough]];
        default:
            return by_rules(policy, flow, ends);
    }
}

DropReason Judge::carry_out(const SegmentPolicy& policy, const Candidate& candidate, const Decision& decision,
                            PortIndex port, std::uint32_t share, std::uint32_t now_s) noexcept {
    DropReason reason = decision.reason;
    Connection* connection = decision.connection;
    ConnectionStatus next = decision.next;
    if (connection != nullptr && decision.ground != Ground::connection) [[unlikely]] {
        // Denied by newer rules.
        connection->status.store(ConnectionStatus{}.word(), std::memory_order_relaxed);
        connection = nullptr;
    }
    if (decision.opens) [[unlikely]] {
        next = first_status(candidate.key, candidate.flow, now_s);
        const ConnectionOrigin origin{.rule = decision.rule, .port = port, .generation = policy.generation};
        connection = connections_.open(candidate.key, candidate.hash, next, origin, share);
        if (connection == nullptr) reason = connection_limit;
    }
    if (connection != nullptr) {
        if (decision.renews) [[unlikely]]
            renew(*connection, decision.rule, policy.generation);
        follow(*connection, candidate.key, candidate.flow, next);
    }
    if (candidate.flow.is_first_fragment) [[unlikely]]
        fragments_.remember(candidate.flow, {.passes = reason == DropReason::none, .rule = decision.rule}, policy.epoch,
                            now_s);
    return reason;
}

DropReason Judge::foretell(const Candidate& candidate, const Decision& decision, PortIndex port,
                           std::uint32_t share) const noexcept {
    const bool finds_place = !decision.opens || connections_.has_room(port, share) ||
                             connections_.find(candidate.key, candidate.hash) != nullptr;
    return finds_place ? decision.reason : DropReason::connection_limit;
}

}  // namespace bulkhead
