// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

/// JSON from a person or a file. A key that stands twice in an object is refused: the switch would refuse it too, and
/// once read here it would be gone without a trace. The error says where and what.
[[nodiscard]] std::expected<nlohmann::json, std::string> parse_json(std::string_view text);

}  // namespace bulkhead::cli
