// SPDX-License-Identifier: Apache-2.0
#include "control/cli/json_text.h"

#include <set>
#include <vector>

namespace bulkhead::cli {

std::expected<nlohmann::json, std::string> parse_json(std::string_view text) {
    using nlohmann::json;
    std::vector<std::set<std::string>> keys_of_open_objects;
    std::string duplicate;
    const auto watch_keys = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) {
            keys_of_open_objects.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            keys_of_open_objects.pop_back();
        } else if (event == json::parse_event_t::key) {
            const auto& key = parsed.get_ref<const std::string&>();
            if (!keys_of_open_objects.back().insert(key).second) duplicate = key;
        }
        return true;
    };
    try {
        json value = json::parse(text, watch_keys);
        if (!duplicate.empty()) return std::unexpected("the key \"" + duplicate + "\" stands twice in one object");
        return value;
    } catch (const json::exception& error) {
        const std::string_view what = error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
        const auto end_of_tag = what.find("] ");
        return std::unexpected(std::string(end_of_tag == std::string_view::npos ? what : what.substr(end_of_tag + 2)));
    }
}

}  // namespace bulkhead::cli
