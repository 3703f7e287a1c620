// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "control/policy_import/network_policy.h"
#include "vswitch/base/result.h"

namespace bulkhead::policy_import {

/// The `spec` of a MultiNetworkPolicy: all of the policy but whose it is and which networks it is for.
[[nodiscard]] Result<NetworkPolicy> decode_spec(const nlohmann::json& object);

}  // namespace bulkhead::policy_import
