// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "control/state/change.h"
#include "vswitch/base/result.h"

namespace bulkhead {

/// What a change may not do although its outcome would be a sound model: change an immutable field, or take away
/// something that other objects hang on.
[[nodiscard]] Result<> check_change(const Model& before, const Model& after, const std::vector<Change>& changes);

}  // namespace bulkhead
