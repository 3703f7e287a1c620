// SPDX-License-Identifier: Apache-2.0
// Groups out of labels. An attachment has one group and selectors overlap, so a group stands for what selectors see of
// a pod: its namespace and its whole set of labels. Two pods that no selector could ever tell apart share one, and a
// selector is a list of groups.
//
// Selectors have no part in this, so that a new policy never changes a port's group: only its labels do. A name is made
// of the namespace, the labels' values and a hash; a number is a hash that moves on to the next free one. Both
// come of the labels file alone, in sorted order, so every node that is given the same file comes to the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/policy_import/network_policy.h"
#include "vswitch/base/result.h"

namespace bulkhead::policy_import {

/// Numbers of groups from here to kMaxGroupId: those below are left to groups that people number.
inline constexpr std::uint16_t kFirstGroupId = 32768;

struct PodClass {
    std::string name;  ///< of its group
    std::uint16_t id = 0;
    Pod pod;                         ///< what all of them are
    std::vector<std::string> ports;  ///< sorted
};

/// Sorted by namespace and labels. Refused when there are more than there are numbers.
[[nodiscard]] Result<std::vector<PodClass>> pod_classes(const Cluster& cluster);

}  // namespace bulkhead::policy_import
