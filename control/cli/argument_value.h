// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/api/fields.h"
#include "control/cli/arguments.h"

namespace bulkhead::cli {

[[nodiscard]] bool is_boolean(std::string_view text);  ///< "true" or "false"

/// One word as the value of one parameter, by its type. `nullable`: the word null is JSON's null. The error says what
/// was got and what is allowed.
[[nodiscard]] std::expected<nlohmann::json, std::string> argument_value(const api::Field& field,
                                                                        const std::string& text, bool nullable,
                                                                        const ReadText& read_text);

}  // namespace bulkhead::cli
