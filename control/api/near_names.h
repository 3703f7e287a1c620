// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bulkhead::api {

/// How many letters must be added, removed or changed to make one text of the other (Levenshtein).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// Those of `known` that someone who wrote `wrong` may have meant, nearest first, a few at most.
[[nodiscard]] std::vector<std::string> near_names(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace bulkhead::api
