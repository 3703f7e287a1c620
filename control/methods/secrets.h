// SPDX-License-Identifier: Apache-2.0
// What a refusal or a reason may say to a tenant: what it may not see has no name there.
#pragma once

#include <nlohmann/json.hpp>

#include "control/rpc/caller.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead::methods {

/// For tenants: takes the names of what they may not see, and of its owners, out of the texts. An Error about such an
/// object is then about none.
[[nodiscard]] Error without_secrets(Error error, const rpc::Caller& caller, const Model& model);

/// The `reason` of a state: why something waits, as text; null without a reason.
[[nodiscard]] nlohmann::json shown_reason(const Error* reason, const rpc::Caller& caller, const Model& model);

}  // namespace bulkhead::methods
