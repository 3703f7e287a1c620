// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "control/cli/text.h"

namespace bulkhead::cli {

/// packet.explain for people: stage after stage, then the receivers of a flooded frame, and the verdict.
[[nodiscard]] std::string render_packet(const nlohmann::json& result, const Screen& screen);
/// policy.explain for people: rule after rule, and the one that decides.
[[nodiscard]] std::string render_policy(const nlohmann::json& result, const Screen& screen);

}  // namespace bulkhead::cli
