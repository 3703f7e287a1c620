// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/import.h"

#include <algorithm>
#include <netinet/in.h>
#include <utility>

#include "control/policy_import/pod_classes.h"
#include "control/policy_import/roles.h"
#include "control/policy_import/rules.h"

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;

std::string name_of_protocol(std::uint8_t protocol) {
    return protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "sctp";
}

std::string text_of(const PortRange& range) {
    const std::string first = std::to_string(range.first);
    return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

json encode(const PolicyEnd& end) {
    json object = json::object();
    if (!end.groups.empty()) object["groups"] = end.groups;
    for (const IpPrefix& prefix : end.ips) object["ips"].push_back(prefix.to_string());
    return object;
}

}  // namespace

Result<Import> translate(const std::vector<NetworkPolicy>& policies, const Cluster& cluster,
                         const std::string& segment) {
    Import result{.segment = segment};
    std::vector<NetworkPolicy> chosen;
    for (const NetworkPolicy& policy : policies) {
        if (std::ranges::find(policy.networks, segment) != policy.networks.end())
            chosen.push_back(policy);
        else
            result.others.push_back(policy.space + "/" + policy.name);
    }
    result.policies = chosen.size();
    auto classes = pod_classes(cluster);
    if (!classes) return failure(std::move(classes.error()));
    auto rules = rules_of(roles_of(*classes, cluster, chosen), chosen);
    if (!rules) return failure(std::move(rules.error()));
    result.rules = std::move(*rules);
    for (Policy& rule : result.rules) rule.segment = segment;
    for (const PodClass& one : *classes) {
        result.groups.push_back({.segment = segment, .name = one.name, .id = one.id});
        for (const std::string& port : one.ports) result.group_of[port] = one.name;
    }
    return result;
}

json encode(const Group& group) {
    return {{"segment", group.segment}, {"name", group.name}, {"id", group.id}};
}

json encode(const Policy& rule) {
    json object = {{"segment", rule.segment},
                   {"name", rule.name},
                   {"order", rule.order},
                   {"action", rule.action == PolicyAction::allow ? "allow" : "deny"}};
    if (!rule.from.is_any()) object["from"] = encode(rule.from);
    if (!rule.to.is_any()) object["to"] = encode(rule.to);
    if (rule.protocol) object["protocol"] = name_of_protocol(*rule.protocol);
    for (const PortRange& range : rule.dst_ports) object["dst_ports"].push_back(text_of(range));
    return object;
}

}  // namespace bulkhead::policy_import
