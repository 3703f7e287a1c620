// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "control/policy_import/stable_hash.h"

namespace bulkhead::policy_import {
namespace {

using RoleSet = std::vector<std::size_t>;  ///< places in the list of roles, sorted
using RolePairs = std::set<std::pair<std::size_t, std::size_t>>;

constexpr std::size_t kOutside = 0;

/// Lists that a rule can have: one of all, or parts of at most kMaxRuleItems. An empty list is one part: it means any.
template <typename Item>
std::vector<std::vector<Item>> parts_of(const std::vector<Item>& items) {
    std::vector<std::vector<Item>> parts;
    for (std::size_t at = 0; at < items.size() || at == 0; at += kMaxRuleItems) {
        const std::size_t end = std::min(items.size(), at + kMaxRuleItems);
        parts.emplace_back(items.begin() + static_cast<std::ptrdiff_t>(at),
                           items.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return parts;
}

std::vector<PolicyEnd> ends_of(const std::vector<std::string>& groups, const Networks& ips) {
    std::vector<PolicyEnd> ends;
    for (const auto& some_groups : parts_of(groups))
        for (const auto& some_ips : parts_of(ips)) ends.push_back({.groups = some_groups, .ips = some_ips});
    return ends;
}

/// The pairs as products of sets, one a row of equal columns: {1,2}×{3}, {1}×{4}.
std::map<RoleSet, RoleSet> rectangles(const RolePairs& pairs) {
    std::map<std::size_t, RoleSet> columns_of;
    for (const auto& [row, column] : pairs) columns_of[row].push_back(column);
    std::map<RoleSet, RoleSet> rows_of;
    for (const auto& [row, columns] : columns_of) rows_of[columns].push_back(row);
    return rows_of;
}

RolePairs turned(const RolePairs& pairs) {
    RolePairs result;
    for (const auto& [row, column] : pairs) result.emplace(column, row);
    return result;
}

/// (senders, receivers), by rows or by columns, whichever takes fewer.
std::vector<std::pair<RoleSet, RoleSet>> products(const RolePairs& pairs) {
    const auto by_sender = rectangles(pairs), by_receiver = rectangles(turned(pairs));
    std::vector<std::pair<RoleSet, RoleSet>> result;
    if (by_sender.size() <= by_receiver.size())
        for (const auto& [receivers, senders] : by_sender) result.emplace_back(senders, receivers);
    else
        for (const auto& [senders, receivers] : by_receiver) result.emplace_back(senders, receivers);
    return result;
}

/// What makes two rules of one step the same.
std::string content_of(const Policy& rule) {
    std::string text = std::to_string(rule.order) + (rule.action == PolicyAction::allow ? " allow" : " deny");
    for (const PolicyEnd* end : {&rule.from, &rule.to}) {
        text += "|";
        for (const std::string& group : end->groups) text += group + ",";
        text += "|";
        for (const IpPrefix& prefix : end->ips) text += prefix.to_string() + ",";
    }
    if (rule.protocol) text += "|" + std::to_string(*rule.protocol);
    for (const PortRange& range : rule.dst_ports)
        text += "," + std::to_string(range.first) + "-" + std::to_string(range.last);
    return text;
}

std::string name_of(std::string_view verb, std::string_view content) {
    constexpr unsigned kDigits = 12;
    return std::string("k8s-").append(verb).append("-").append(hash_digits(content, kDigits));
}

class RuleList {
  public:
    void allow(unsigned step, const std::vector<std::string>& from, const std::vector<std::string>& to,
               const Opening& opening) {
        const bool is_every_port = opening.ports == std::vector{kEveryPort};
        const auto ports = parts_of(is_every_port ? std::vector<PortRange>() : opening.ports);
        for (const PolicyEnd& sender : ends_of(from, opening.from))
            for (const PolicyEnd& receiver : ends_of(to, opening.to))
                for (const auto& some_ports : ports)
                    append(kFirstStepOrder + (step - 1) * kStepOrders, PolicyAction::allow, sender, receiver,
                           opening.protocol, some_ports);
    }
    void deny(std::uint32_t order, const std::vector<std::string>& from, const std::vector<std::string>& to) {
        for (const PolicyEnd& sender : ends_of(from, {}))
            for (const PolicyEnd& receiver : ends_of(to, {}))
                append(order, PolicyAction::deny, sender, receiver, std::nullopt, {});
    }
    void deny_step(unsigned step, const std::vector<std::string>& from, const std::vector<std::string>& to) {
        deny(kFirstStepOrder + (step - 1) * kStepOrders, from, to);
    }
    [[nodiscard]] std::vector<Policy> take() {
        std::ranges::sort(rules_, [](const Policy& a, const Policy& b) {
            return std::tie(a.order, a.name) < std::tie(b.order, b.name);
        });
        return std::move(rules_);
    }

  private:
    void append(std::uint32_t order, PolicyAction action, const PolicyEnd& from, const PolicyEnd& to,
                std::optional<std::uint8_t> protocol, const std::vector<PortRange>& ports) {
        Policy rule{.order = order, .from = from, .to = to, .protocol = protocol, .dst_ports = ports, .action = action};
        const std::string verb = action == PolicyAction::allow ? "allow" : "deny";
        std::string content = content_of(rule);
        rule.name = name_of(verb, content);
        while (!names_.insert(rule.name).second) rule.name = name_of(verb, content += '+');
        rules_.push_back(std::move(rule));
    }

    std::vector<Policy> rules_;
    std::set<std::string> names_;
};

/// The pairs of roles that need rules, by what may pass between them; and who is isolated.
class Verdicts {
  public:
    Verdicts(const std::vector<Role>& roles, const std::vector<NetworkPolicy>& policies) : roles_(roles) {
        for (std::size_t at = 0; at < roles.size(); ++at) {
            if (is_egress_isolated(roles[at], policies)) senders_.insert(at);
            if (is_ingress_isolated(roles[at], policies)) receivers_.insert(at);
        }
        for (std::size_t from = 0; from < roles.size(); ++from)
            for (std::size_t to = 0; to < roles.size(); ++to)
                if (is_isolated(from) || is_isolated(to))
                    for (Opening& opening : openings_between(roles[from], roles[to], policies))
                        pairs_of_[std::move(opening)].emplace(from, to);
    }

    void write(RuleList& rules) const {
        for (const auto& [opening, pairs] : pairs_of_) write_opening(rules, opening, pairs);
        const auto senders = groups_of(senders_), receivers = groups_of(receivers_), all = all_groups();
        if (!senders.empty()) {
            rules.deny_step(2, senders, all);
            rules.deny_step(4, senders, {});
        }
        if (!receivers.empty()) {
            rules.deny_step(2, all, receivers);
            rules.deny_step(6, {}, receivers);
        }
    }

  private:
    [[nodiscard]] bool is_isolated(std::size_t role) const {
        return senders_.contains(role) || receivers_.contains(role);
    }

    void write_opening(RuleList& rules, const Opening& opening, const RolePairs& pairs) const {
        RolePairs inside;
        RoleSet to_anyone, from_anyone;
        for (const auto& [from, to] : pairs) {
            if (to == kOutside)
                to_anyone.push_back(from);
            else if (from == kOutside)
                from_anyone.push_back(to);
            else
                inside.emplace(from, to);
        }
        for (const auto& [from, to] : products(inside)) rules.allow(1, groups_of(from), groups_of(to), opening);
        if (!to_anyone.empty()) rules.allow(3, groups_of(to_anyone), {}, opening);
        if (!from_anyone.empty()) rules.allow(5, {}, groups_of(from_anyone), opening);
    }

    template <typename Places>
    [[nodiscard]] std::vector<std::string> groups_of(const Places& places) const {
        std::vector<std::string> groups;
        for (const std::size_t role : places)
            groups.insert(groups.end(), roles_[role].groups.begin(), roles_[role].groups.end());
        std::ranges::sort(groups);
        return groups;
    }
    [[nodiscard]] std::vector<std::string> all_groups() const {
        RoleSet all;
        for (std::size_t at = 0; at < roles_.size(); ++at) all.push_back(at);
        return groups_of(all);
    }

    const std::vector<Role>& roles_;
    std::set<std::size_t> senders_, receivers_;  ///< those that are isolated in what they send, or receive
    std::map<Opening, RolePairs> pairs_of_;
};

}  // namespace

Result<std::vector<Policy>> rules_of(const std::vector<Role>& roles, const std::vector<NetworkPolicy>& policies) {
    RuleList rules;
    Verdicts(roles, policies).write(rules);
    auto result = rules.take();
    if (result.size() <= kMaxRulesOfSegment) return result;
    Error error = invalid("", "the policies take more rules than a segment may have", std::to_string(result.size()),
                          "at most " + std::to_string(kMaxRulesOfSegment))
                      .error();
    error.code = ErrorCode::limit;
    return failure(std::move(error));
}

std::vector<Policy> denials_of(const std::vector<std::string>& groups) {
    if (groups.empty()) return {};
    RuleList rules;
    rules.deny(kLeavingOrder, groups, {});
    rules.deny(kLeavingOrder, {}, groups);
    return rules.take();
}

}  // namespace bulkhead::policy_import
