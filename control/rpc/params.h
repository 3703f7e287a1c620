// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "control/api/methods.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

/// Checks named parameters against a row: nothing unknown, nothing missing, every type right, nothing that is not built
/// in. The first flaw is the Error; its field is a JSON pointer into `params`.
[[nodiscard]] Result<> check_params(const api::Method& method, const nlohmann::json& params);

}  // namespace bulkhead::rpc
