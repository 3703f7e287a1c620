// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "control/cli/text.h"

namespace bulkhead::cli {

/// segment.verify for people: who can reach whom and with what, then everything that is not as it was meant. `segment`
/// is the one that was asked about.
[[nodiscard]] std::string render_verification(const nlohmann::json& result, const std::string& segment,
                                              const Screen& screen);

}  // namespace bulkhead::cli
