// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

/// An event of kind policy.log for people, as packet filters write them:
///   2026-01-31T12:00:00.123Z policy.log deny blue/no-ssh port web-0: tcp 10.1.0.2:4000 > 10.1.0.3:22 [S] 74 octets
///   2026-01-31T12:00:01.000Z policy.log blue port web-0: 4711 more frames without a line
[[nodiscard]] std::string policy_log_line(const nlohmann::json& facts);

}  // namespace bulkhead::cli
