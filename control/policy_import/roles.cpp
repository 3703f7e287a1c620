// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/roles.h"

#include <algorithm>
#include <map>

namespace bulkhead::policy_import {
namespace {

bool is_peer(const Peer& peer, const Pod& pod, const NetworkPolicy& policy, const Cluster& cluster) {
    if (peer.ips) return false;
    const bool is_in_namespace =
        peer.namespaces ? matches(*peer.namespaces, cluster.namespaces.at(pod.space)) : pod.space == policy.space;
    return is_in_namespace && (!peer.pods || matches(*peer.pods, pod.labels));
}

std::vector<bool> peer_of(const std::optional<std::vector<NetworkPolicyRule>>& rules, const Pod& pod,
                          const NetworkPolicy& policy, const Cluster& cluster) {
    std::vector<bool> result;
    for (const NetworkPolicyRule& rule : rules.value_or(std::vector<NetworkPolicyRule>()))
        result.push_back(
            std::ranges::any_of(rule.peers, [&](const Peer& peer) { return is_peer(peer, pod, policy, cluster); }));
    return result;
}

Standing standing_of(const Pod& pod, const NetworkPolicy& policy, const Cluster& cluster) {
    return {.is_selected = pod.space == policy.space && matches(policy.pods, pod.labels),
            .is_source = peer_of(policy.ingress, pod, policy, cluster),
            .is_destination = peer_of(policy.egress, pod, policy, cluster)};
}

Standing stranger(const NetworkPolicy& policy) {
    const auto size = [](const auto& rules) { return rules ? rules->size() : 0; };
    return {.is_source = std::vector<bool>(size(policy.ingress)),
            .is_destination = std::vector<bool>(size(policy.egress))};
}

/// The addresses of all ipBlocks of the rule.
Networks networks_of(const NetworkPolicyRule& rule) {
    Networks all;
    for (const Peer& peer : rule.peers)
        if (peer.ips) all.insert(all.end(), peer.ips->begin(), peer.ips->end());
    return merged(std::move(all));
}

/// Adds what one rule lets through; `end` is where an opening names the peer's addresses.
void add_rule(std::vector<Opening>& openings, const NetworkPolicyRule& rule, bool is_matched, Networks Opening::* end) {
    Opening opening = everything();
    if (!is_matched && !rule.peers.empty()) {
        const Networks networks = networks_of(rule);
        if (networks.empty()) return;  // an opening that names no network is one for all
        opening.*end = networks;
    }
    if (rule.traffic.empty()) openings.push_back(opening);
    for (const Traffic& traffic : rule.traffic) {
        opening.protocol = traffic.protocol;
        opening.ports = {traffic.ports};
        openings.push_back(opening);
    }
}

std::vector<Opening> egress_openings(const Role& from, const Role& to, const std::vector<NetworkPolicy>& policies) {
    if (!is_egress_isolated(from, policies)) return {everything()};
    std::vector<Opening> openings;
    for (std::size_t at = 0; at < policies.size(); ++at) {
        if (!policies[at].egress || !from.standings[at].is_selected) continue;
        for (std::size_t rule = 0; rule < policies[at].egress->size(); ++rule)
            add_rule(openings, (*policies[at].egress)[rule], to.standings[at].is_destination[rule], &Opening::to);
    }
    return simplified(std::move(openings));
}

std::vector<Opening> ingress_openings(const Role& from, const Role& to, const std::vector<NetworkPolicy>& policies) {
    if (!is_ingress_isolated(to, policies)) return {everything()};
    std::vector<Opening> openings;
    for (std::size_t at = 0; at < policies.size(); ++at) {
        if (!policies[at].ingress || !to.standings[at].is_selected) continue;
        for (std::size_t rule = 0; rule < policies[at].ingress->size(); ++rule)
            add_rule(openings, (*policies[at].ingress)[rule], from.standings[at].is_source[rule], &Opening::from);
    }
    return simplified(std::move(openings));
}

bool is_isolated(const Role& role, const std::vector<NetworkPolicy>& policies,
                 std::optional<std::vector<NetworkPolicyRule>> NetworkPolicy::* direction) {
    for (std::size_t at = 0; at < policies.size(); ++at)
        if (policies[at].*direction && role.standings[at].is_selected) return true;
    return false;
}

}  // namespace

std::vector<Role> roles_of(const std::vector<PodClass>& classes, const Cluster& cluster,
                           const std::vector<NetworkPolicy>& policies) {
    Role outside;
    for (const NetworkPolicy& policy : policies) outside.standings.push_back(stranger(policy));
    std::map<std::vector<Standing>, std::vector<std::string>> groups_of;
    for (const PodClass& one : classes) {
        std::vector<Standing> standings;
        for (const NetworkPolicy& policy : policies) standings.push_back(standing_of(one.pod, policy, cluster));
        if (standings != outside.standings) groups_of[standings].push_back(one.name);
    }
    std::vector<Role> roles{outside};
    for (auto& [standings, groups] : groups_of) {
        std::ranges::sort(groups);
        roles.push_back({standings, groups});
    }
    return roles;
}

bool is_egress_isolated(const Role& role, const std::vector<NetworkPolicy>& policies) {
    return is_isolated(role, policies, &NetworkPolicy::egress);
}

bool is_ingress_isolated(const Role& role, const std::vector<NetworkPolicy>& policies) {
    return is_isolated(role, policies, &NetworkPolicy::ingress);
}

std::vector<Opening> openings_between(const Role& from, const Role& to, const std::vector<NetworkPolicy>& policies) {
    std::vector<Opening> openings;
    const auto ingress = ingress_openings(from, to, policies);
    for (const Opening& out : egress_openings(from, to, policies))
        for (const Opening& in : ingress)
            if (auto both = common(out, in)) openings.push_back(std::move(*both));
    return simplified(std::move(openings));
}

}  // namespace bulkhead::policy_import
