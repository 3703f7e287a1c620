// SPDX-License-Identifier: Apache-2.0
// From what a switch has to an import, without a hole on the way.
//
// Rules change in one step (config.apply), but each port's group is a step of its own (port.set), since ports are
// others' objects. Kubernetes promises that at every moment one whole set of policies is in force and judges each pod
// by its former or by its new labels. That holds while the rules in force know each group that a port has, so:
//
//   1  config.apply: the new groups beside the former; the rules stay                  (nobody has a new group)
//   2  port.set: ports that have no group get theirs                 (unknown to the rules: nothing changes for them)
//   3  config.apply: the new rules; groups that are no more stay, and all from and to them is denied
//   4  port.set: ports whose labels changed get their new group                       (meanwhile judged by the former)
//   5  config.apply: groups that no port has any more go
//
// What is not needed is left out: where only policies changed there is step 3 alone. A first import takes effect as a
// whole in step 3. Where a set of labels is new and the former is no more, a port is cut off from step 3 until step 4.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/policy_import/import.h"

namespace bulkhead::policy_import {

/// One call of port.set.
struct PortChange {
    std::string port;
    std::string group;          ///< empty: none
    nlohmann::json parameters;  ///< of port.set
};

struct PortPlan {
    std::vector<PortChange> first;        ///< step 2
    std::vector<PortChange> later;        ///< step 4
    std::vector<std::string> right;       ///< ports that have their group already
    std::vector<std::string> absent;      ///< labelled, but not attached to the segment here
    std::vector<std::string> unlabelled;  ///< attached to the segment, and the labels file does not know them
    std::vector<std::string> foreign;     ///< have a group that is not this owner's; they keep it
};

/// Names of the groups that the owner has in the segment; `own` is its part of the configuration.
[[nodiscard]] std::set<std::string> groups_of(const nlohmann::json& own, const std::string& segment);

/// `ports` as in a configuration.
[[nodiscard]] PortPlan plan_ports(const nlohmann::json& ports, const std::set<std::string>& own_groups,
                                  const Import& import);

/// Groups of the segment that ports have, of these.
[[nodiscard]] std::set<std::string> used_groups(const nlohmann::json& ports, const std::set<std::string>& groups,
                                                const std::string& segment);

/// The owner's configuration for step 1: what it has, and the new groups.
[[nodiscard]] nlohmann::json with_new_groups(const nlohmann::json& own, const Import& import);

/// The owner's configuration for steps 3 and 5: the import in place of what the owner has in the segment, besides its
/// objects of other kinds and in other segments. Groups of `kept` that the import does not have stay, and are cut off.
[[nodiscard]] nlohmann::json with_import(const nlohmann::json& own, const Import& import,
                                         const std::set<std::string>& kept);

}  // namespace bulkhead::policy_import
