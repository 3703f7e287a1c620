// SPDX-License-Identifier: Apache-2.0
// MultiNetworkPolicies and labels in, groups and rules of a segment out. Pure: no switch, no file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/policy_import/network_policy.h"
#include "vswitch/base/result.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {

struct Import {
    std::string segment;
    std::vector<Group> groups;                    ///< one a set of labels (pod_classes.h)
    std::vector<Policy> rules;                    ///< rules.h
    std::map<std::string, std::string> group_of;  ///< by the name of the port
    std::size_t policies = 0;                     ///< that are for the segment
    std::vector<std::string> others;              ///< "shop/web" of those that are not
};

/// Of the policies, those count that are for a network of the segment's name.
[[nodiscard]] Result<Import> translate(const std::vector<NetworkPolicy>& policies, const Cluster& cluster,
                                       const std::string& segment);

/// As they stand in a configuration (docs/api.md).
[[nodiscard]] nlohmann::json encode(const Group& group);
[[nodiscard]] nlohmann::json encode(const Policy& rule);

}  // namespace bulkhead::policy_import
