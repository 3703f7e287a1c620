// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/cli/text.h"

namespace bulkhead::cli {

/// The result of a method for people: a list as a table, an object as `key: value`, a change as a line, a document (the
/// configuration, OpenRPC) as JSON. Ends in a newline. `params` are those of the call.
[[nodiscard]] std::string render(std::string_view method, const nlohmann::json& params, const nlohmann::json& result,
                                 const Screen& screen);

}  // namespace bulkhead::cli
