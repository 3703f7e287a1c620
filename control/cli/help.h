// SPDX-License-Identifier: Apache-2.0
// Help, all of it out of the method table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/api/methods.h"

namespace bulkhead::cli {

[[nodiscard]] std::string program_help();
[[nodiscard]] std::string noun_help(std::string_view noun);
[[nodiscard]] std::string method_help(const api::Method& method);

[[nodiscard]] std::vector<std::string_view> nouns();
[[nodiscard]] std::vector<const api::Method*> methods_of(std::string_view noun);

}  // namespace bulkhead::cli
