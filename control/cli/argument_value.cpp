// SPDX-License-Identifier: Apache-2.0
#include "control/cli/argument_value.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "control/cli/json_text.h"
#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

using api::JsonType;
using nlohmann::json;
using Value = std::expected<json, std::string>;

std::unexpected<std::string> not_allowed(std::string_view got, std::string_view allowed) {
    return std::unexpected("got \"" + printable(got) + "\"; allowed " + std::string(allowed));
}

template <typename Integer>
bool reads_whole(const std::string& text, Integer& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

Value integer(const std::string& text) {
    std::int64_t number = 0;
    if (reads_whole(text, number)) return number;
    std::uint64_t large = 0;
    if (reads_whole(text, large)) return large;
    return not_allowed(text, "a whole number");
}

/// What `@file`, `-`, or for an object a bare path stands for; else the text itself.
std::expected<std::string, std::string> contents(const api::Field& field, const std::string& text,
                                                 const ReadText& read_text) {
    const bool is_json = !text.empty() && (text.front() == '{' || text.front() == '[');
    if (text == "-") return read_text("-");
    if (text.starts_with('@')) return read_text(text.substr(1));
    if (field.type != JsonType::object || is_json) return text;
    auto file = read_text(text);
    if (!file) return std::unexpected(file.error() + " (allowed: JSON, @file, a file's path, or - for standard input)");
    return file;
}

Value parsed(const std::string& text, JsonType type) {
    auto value = parse_json(text);
    if (!value) return std::unexpected(value.error());
    const bool fits = type == JsonType::object ? value->is_object() : value->is_array();
    if (!fits) return not_allowed(value->type_name(), type == JsonType::object ? "a JSON object" : "a JSON array");
    return value;
}

/// `a,b,c`, each by the type of the array's elements. Nothing is the empty list.
Value comma_list(const api::Field& field, const std::string& text) {
    json list = json::array();
    for (std::size_t from = 0; !text.empty() && from <= text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        const std::string element = text.substr(from, to - from);
        Value value = field.items == JsonType::integer ? integer(element) : Value(element);
        if (!value) return value;
        list.push_back(std::move(*value));
        from = to + 1;
    }
    return list;
}

Value array(const api::Field& field, const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    const char opening = first == std::string::npos ? '\0' : text[first];
    if (opening == '[') return parsed(text, JsonType::array);
    if (field.items != JsonType::object) return comma_list(field, text);
    if (opening != '{') return not_allowed(text, "JSON: an object, or a list of them");
    auto element = parsed(text, JsonType::object);
    if (!element) return element;
    return json::array({std::move(*element)});
}

/// A value of no particular type is a number or JSON if it reads as such, and else a string.
Value any(const std::string& text) {
    if (auto value = parse_json(text)) return value;
    return text;
}

}  // namespace

bool is_boolean(std::string_view text) {
    return text == "true" || text == "false";
}

Value argument_value(const api::Field& field, const std::string& text, bool nullable, const ReadText& read_text) {
    if (nullable && !field.required && text == "null") return json(nullptr);
    switch (field.type) {
        case JsonType::string:
            return text;
        case JsonType::integer:
            return integer(text);
        case JsonType::boolean:
            if (!is_boolean(text)) return not_allowed(text, "true or false");
            return text == "true";
        case JsonType::any:
            return any(text);
        case JsonType::array:
        case JsonType::object:
            break;
    }
    const auto content = contents(field, text, read_text);
    if (!content) return std::unexpected(content.error());
    return field.type == JsonType::object ? parsed(*content, JsonType::object) : array(field, *content);
}

}  // namespace bulkhead::cli
