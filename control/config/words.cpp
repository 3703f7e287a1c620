// SPDX-License-Identifier: Apache-2.0
// What refusals are worded with: values shown, lists, the names nearest to a misspelt one.
#include <algorithm>

#include "control/api/near_names.h"
#include "control/config/object_reader.h"

namespace bulkhead::config {

std::string shortened(std::string text, std::size_t longest) {
    constexpr std::string_view kMore = "…";
    if (text.size() <= longest) return text;
    std::size_t cut = longest - kMore.size();
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;  // not inside a character
    text.resize(cut);
    return text.append(kMore);
}

std::string shown(const nlohmann::json& value) {
    constexpr std::size_t kLongest = 80;
    return shortened(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), kLongest);
}

std::string pointer_token(std::string_view key) {
    std::string token = "/";
    for (char c : key) {
        if (c == '~') {
            token += "~0";
        } else if (c == '/') {
            token += "~1";
        } else {
            token += c;
        }
    }
    return token;
}

std::string listed(std::span<const std::string_view> words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

std::vector<std::string_view> nearest(std::string_view word, std::span<const api::Field> fields) {
    constexpr std::size_t kMost = 3, kLongestWord = 64;
    word = word.substr(0, kLongestWord);
    std::vector<std::pair<std::size_t, std::string_view>> ranked;
    for (const api::Field& field : fields) {
        if (field.built_in) ranked.emplace_back(api::edit_distance(word, field.name), field.name);
    }
    std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::string_view>::first);
    std::vector<std::string_view> names;
    for (const auto& [far, name] : ranked) {
        if (names.size() < kMost) names.push_back(name);
    }
    return names;
}

}  // namespace bulkhead::config
