// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "vswitch/policy/policy_log_entry.h"

namespace bulkhead::daemon {

/// The fields of an event `policy.log`; docs/policy.md lists them. What a frame does not have is left out.
[[nodiscard]] nlohmann::json encode(const PolicyLogEntry& entry);

}  // namespace bulkhead::daemon
