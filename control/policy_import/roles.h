// SPDX-License-Identifier: Apache-2.0
// What policies make of the groups: those that stand the same in all of them are one role, and what may pass between
// two roles is computed once for all their groups.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "control/policy_import/network_policy.h"
#include "control/policy_import/opening.h"
#include "control/policy_import/pod_classes.h"

namespace bulkhead::policy_import {

/// How one policy sees a group.
struct Standing {
    bool is_selected = false;
    std::vector<bool> is_source;       ///< of each ingress rule, by its selectors
    std::vector<bool> is_destination;  ///< of each egress rule, by its selectors
    auto operator<=>(const Standing&) const = default;
};

struct Role {
    std::vector<Standing> standings;  ///< one a policy
    std::vector<std::string> groups;  ///< sorted
};

/// The first is the role of those that no selector matches: addresses outside, what a tunnel says no group of, and
/// ports without labels. Rules know it by the absence of a group, so it has none.
[[nodiscard]] std::vector<Role> roles_of(const std::vector<PodClass>& classes, const Cluster& cluster,
                                         const std::vector<NetworkPolicy>& policies);

/// Whether a policy selects it for what it sends, or for what it receives.
[[nodiscard]] bool is_egress_isolated(const Role& role, const std::vector<NetworkPolicy>& policies);
[[nodiscard]] bool is_ingress_isolated(const Role& role, const std::vector<NetworkPolicy>& policies);

/// All that may pass: what the egress rules of `from` and the ingress rules of `to` both let through.
[[nodiscard]] std::vector<Opening> openings_between(const Role& from, const Role& to,
                                                    const std::vector<NetworkPolicy>& policies);

}  // namespace bulkhead::policy_import
