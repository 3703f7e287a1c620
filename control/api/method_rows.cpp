// SPDX-License-Identifier: Apache-2.0
#include "control/api/method_rows.h"

#include <utility>

namespace bulkhead::api {

std::vector<Field> all_of(std::span<const Field> fields) {
    return {fields.begin(), fields.end()};
}

std::vector<Field> patch_of(std::span<const Field> fields) {
    auto patch = all_of(fields);
    for (Field& field : patch) {
        field.required = field.name == "name";
        field.default_json = {};
    }
    return patch;
}

std::vector<Field> page_of(std::initializer_list<Field> filters) {
    std::vector<Field> params(filters);
    params.push_back(optional("limit", JsonType::integer, "items at most in one answer, 1-1000", "100"));
    params.push_back(optional("cursor", JsonType::string, "where the last answer ended; absent: from the start"));
    return params;
}

void append_planned(Methods& table, std::string_view name, std::vector<Field> params, RoleSet roles,
                    std::string_view help, std::string_view result) {
    table.push_back({.name = name,
                     .params = std::move(params),
                     .roles = roles,
                     .built_in = false,
                     .merge_patch = name.ends_with(".set"),
                     .help = help,
                     .result = result,
                     .example = {}});
}

}  // namespace bulkhead::api
