// SPDX-License-Identifier: Apache-2.0
// `set`: an RFC 7396 merge patch on an object that exists, and what may not be changed about it.
#pragma once

#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/api/fields.h"
#include "vswitch/base/result.h"

namespace bulkhead::config {

/// The object with the patch merged in: a member that is null goes back to its default, a list is replaced whole.
[[nodiscard]] nlohmann::json merged(nlohmann::json object, const nlohmann::json& patch);

/// Refuses a change of an immutable field. Both objects are as encode() writes them; `kind` is "port" and the like.
[[nodiscard]] Result<> check_immutable(std::span<const api::Field> fields, std::string_view kind,
                                       const nlohmann::json& before, const nlohmann::json& after);

}  // namespace bulkhead::config
