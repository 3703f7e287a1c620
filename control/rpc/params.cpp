// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/params.h"

#include <algorithm>
#include <string>

#include "control/rpc/json_rpc.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using api::Field;
using api::JsonType;
using nlohmann::json;

/// RFC 6901, section 3: "~" and "/" are escaped.
std::string pointer_to(std::string_view key) {
    std::string pointer = "/";
    for (const char c : key) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

std::string_view name_of(JsonType type) {
    switch (type) {
        case JsonType::string:
            return "a string";
        case JsonType::integer:
            return "an integer";
        case JsonType::boolean:
            return "true or false";
        case JsonType::array:
            return "an array";
        case JsonType::object:
            return "an object";
        case JsonType::any:
            return "any value";
    }
    return "any value";
}

bool has_type(const json& value, JsonType type) {
    switch (type) {
        case JsonType::string:
            return value.is_string();
        case JsonType::integer:
            return value.is_number_integer();
        case JsonType::boolean:
            return value.is_boolean();
        case JsonType::array:
            return value.is_array();
        case JsonType::object:
            return value.is_object();
        case JsonType::any:
            return true;
    }
    return false;
}

/// The value itself if it is short, else its type: nobody wants a 16 MiB array echoed.
std::string shown(const json& value) {
    return value.is_structured() && value.size() > 8 ? std::string(value.type_name()) : to_line(value);
}

std::string parameters_of(const api::Method& method) {
    std::string names;
    for (const Field& field : method.params) {
        if (field.built_in) names += (names.empty() ? "" : ", ") + std::string(field.name);
    }
    return names.empty() ? "no parameters" : names;
}

bool is_default(const Field& field, const json& value) {
    if (field.default_json.empty()) return false;
    const auto default_value = parse_json(field.default_json);
    return default_value && *default_value == value;
}

Result<> check_value(const api::Method& method, const Field& field, const json& value) {
    // In a merge patch null takes an optional field away (RFC 7396); it can't take away what names the object.
    if (method.merge_patch && value.is_null() && !field.required) return {};
    const std::string name(field.name);
    if (!field.built_in && !is_default(field, value)) {
        return failure(refusal(ErrorCode::not_built_in, name + " is not built in yet", pointer_to(name), shown(value),
                               std::string(field.default_json)));
    }
    if (!has_type(value, field.type)) {
        return invalid(pointer_to(name), name + " is of the wrong type", shown(value),
                       std::string(name_of(field.type)));
    }
    return {};
}

}  // namespace

Result<> check_params(const api::Method& method, const json& params) {
    for (const auto& [key, value] : params.items()) {
        const auto field = std::ranges::find(method.params, std::string_view(key), &Field::name);
        if (field == method.params.end()) {
            return invalid(pointer_to(key), std::string(method.name) + " has no parameter \"" + key + '"', shown(value),
                           parameters_of(method));
        }
        if (const auto ok = check_value(method, *field, value); !ok) return ok;
    }
    for (const Field& field : method.params) {
        if (field.required && !params.contains(field.name)) {
            const std::string name(field.name);
            return invalid(pointer_to(name), name + " is missing", "nothing", std::string(name_of(field.type)));
        }
    }
    return {};
}

}  // namespace bulkhead::rpc
