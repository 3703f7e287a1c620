// SPDX-License-Identifier: Apache-2.0
// From roles to the ordered rules of a segment.
//
// NetworkPolicy lets a packet pass if what its sender may send AND what its receiver may receive both have it, each the
// union of all policies. Rules are first-match, and no order of "allow for the sender" and "allow for the receiver"
// says AND: whichever comes first decides alone. So the AND is worked out here, for each pair of roles, and rules only
// say the result. They come in steps:
//
//   1  allow  from groups to groups   what may pass between two roles
//   2  deny   from groups to groups   all else from isolated senders, and to isolated receivers
//   3  allow  from groups to anyone   with those of no group, since all others are decided by now
//   4  deny   from isolated senders to anyone
//   5  allow  from anyone to groups   as 3
//   6  deny   from anyone to isolated receivers
//
// What comes to the end is between two that no policy selects, and the segment's default (allow) lets it pass. Denials
// of senders come before 5, because towards a tunnel rule 5 would allow whom 2 could not deny (docs/policy.md,
// Tunnels).
//
// All that an isolated end may do is said with an allow, even where NetworkPolicy has no limit: only a stateful rule
// opens a connection, and the answers to what passed by default would meet the denials.
#pragma once

#include <vector>

#include "control/policy_import/roles.h"
#include "vswitch/base/result.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {

/// Orders of the steps: room for rules of others before, between and behind them.
inline constexpr std::uint32_t kFirstStepOrder = 100'000;
inline constexpr std::uint32_t kStepOrders = 100;
/// Denials of groups that ports still have and that no policy knows (transition.h).
inline constexpr std::uint32_t kLeavingOrder = kFirstStepOrder - kStepOrders;

/// Rules in their order; names are made of the content, so a rule that stays the same keeps its name and its counters.
/// Refused when the segment would have more than kMaxRulesOfSegment.
[[nodiscard]] Result<std::vector<Policy>> rules_of(const std::vector<Role>& roles,
                                                   const std::vector<NetworkPolicy>& policies);

/// Everything from and to these groups.
[[nodiscard]] std::vector<Policy> denials_of(const std::vector<std::string>& groups);

}  // namespace bulkhead::policy_import
