// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "vswitch/switch.h"

namespace bulkhead::methods {

/// `{"packets", "bytes", "drops": {…}}`: what an observer got, and what it did not, by why.
[[nodiscard]] nlohmann::json shown_copies(const MirrorStats& stats);

}  // namespace bulkhead::methods
