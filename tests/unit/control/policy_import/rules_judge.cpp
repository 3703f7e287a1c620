// SPDX-License-Identifier: Apache-2.0
// docs/policy.md for the first packet of a conversation.
#include <algorithm>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/unit/control/policy_import/packet.h"

namespace bulkhead::policy_import {
namespace {

enum class Match { no, yes, unknown };

template <typename Items, typename Is>
bool is_listed(const Items& items, Is is) {
    return items.empty() || std::ranges::any_of(items, is);
}

std::optional<std::uint8_t> number_of(const std::string& protocol) {
    if (protocol == "TCP") return 6;
    if (protocol == "UDP") return 17;
    if (protocol == "SCTP") return 132;
    return 1;
}

bool has_address(const std::vector<IpPrefix>& prefixes, const std::string& address) {
    return is_listed(prefixes, [&](const IpPrefix& prefix) {
        return !address.empty() && prefix.contains(*IpAddress::parse(address));
    });
}

std::string group_of_port(const std::map<std::string, std::string>& group_of, const std::string& port) {
    return port.empty() ? std::string() : group_of.at(port);
}

Match match(const Policy& rule, const std::string& from, const std::string& to, const Packet& packet, Node node) {
    if (!is_listed(rule.from.groups, [&](const std::string& group) { return group == from; })) return Match::no;
    if (!has_address(rule.from.ips, packet.src) || !has_address(rule.to.ips, packet.dst)) return Match::no;
    if (rule.protocol && (packet.src.empty() || rule.protocol != number_of(packet.protocol))) return Match::no;
    EXPECT_TRUE(rule.dst_ports.empty() || rule.protocol) << rule.name;
    if (!is_listed(rule.dst_ports,
                   [&](const PortRange& range) { return range.first <= packet.port && packet.port <= range.last; }))
        return Match::no;
    if (node == Node::sender && !rule.to.groups.empty()) return Match::unknown;
    return is_listed(rule.to.groups, [&](const std::string& group) { return group == to; }) ? Match::yes : Match::no;
}

}  // namespace

Verdict first_match(const std::vector<Policy>& rules, const std::map<std::string, std::string>& group_of,
                    const Packet& packet, Node node) {
    std::vector<Policy> ordered = rules;
    std::ranges::sort(ordered, [](const Policy& a, const Policy& b) {
        return std::tie(a.order, a.name) < std::tie(b.order, b.name);
    });
    const std::string from = group_of_port(group_of, packet.from), to = group_of_port(group_of, packet.to);
    for (const Policy& rule : ordered) {
        const Match matched = match(rule, from, to, packet, node);
        const bool allows = rule.action == PolicyAction::allow;
        if (matched == Match::yes || (matched == Match::unknown && allows)) return {allows, rule.name};
    }
    return {};
}

}  // namespace bulkhead::policy_import
