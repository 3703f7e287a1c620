// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

/// The model after config.apply: of `owner` exactly the objects of `desired`, of all others those that are. An object
/// that belongs to somebody else is refused, with `exists` when it is in the way and with `invalid_params` at `/owner`
/// when it says so itself.
[[nodiscard]] Result<Model> replace_owner(const Model& present, const std::string& owner, const Model& desired);

/// The objects of one owner alone.
[[nodiscard]] Model objects_of(const Model& model, const std::string& owner);
/// All but those of one owner.
[[nodiscard]] Model objects_not_of(const Model& model, const std::string& owner);

}  // namespace bulkhead
