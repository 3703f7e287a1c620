// SPDX-License-Identifier: Apache-2.0
#include "control/api/near_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bulkhead::api {
namespace {

constexpr std::size_t kMostSuggestions = 5;
constexpr std::size_t kMostEdits = 2;
constexpr std::size_t kLongestName = 64;  ///< nothing longer is a slip of the fingers

std::string_view noun_of(std::string_view name) {
    return name.substr(0, name.find('.'));
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);  // the distances of a's prefix to every prefix of b
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({changed, row[j] + 1, row[j - 1] + 1}));
        }
    }
    return row.back();
}

std::vector<std::string> near_names(std::string_view wrong, const std::vector<std::string>& known) {
    if (wrong.size() > kLongestName) return {};
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const std::string& name : known) {
        const std::size_t distance = edit_distance(wrong, name);
        // Another verb of the same noun is a likely meaning however different it looks.
        if (distance <= kMostEdits || noun_of(wrong) == noun_of(name)) near.emplace_back(distance, name);
    }
    std::ranges::sort(near);
    std::vector<std::string> names;
    for (auto& [distance, name] : near) {
        if (names.size() < kMostSuggestions) names.push_back(std::move(name));
    }
    return names;
}

}  // namespace bulkhead::api
