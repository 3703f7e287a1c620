// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/documents.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <yaml-cpp/yaml.h>

#include "control/rpc/json_rpc.h"
#include "vswitch/model/checks.h"

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;

constexpr unsigned kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 1'000'000;

std::string place_of(const YAML::Mark& mark) {
    if (mark.is_null()) return "somewhere";
    return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

Error flaw(const YAML::Mark& mark, const std::string& what) {
    return invalid("", "not valid YAML: " + place_of(mark) + ": " + what).error();
}

std::optional<std::int64_t> decimal(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<double> fraction(std::string_view text) {
    const auto first = text.find_first_not_of("+-.");
    if (first == std::string_view::npos || text[first] < '0' || text[first] > '9') return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

json plain_value(const std::string& text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (const auto number = decimal(text))
        return *number < 0 ? json(*number) : json(static_cast<std::uint64_t>(*number));
    if (const auto number = fraction(text)) return *number;
    return text;
}

/// Turns nodes into values; keeps the first flaw.
class Converter {
  public:
    json value_of(const YAML::Node& node, unsigned depth) {
        if (error_) return nullptr;
        if (depth > kMaxDepth) return refuse(node, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
        if (++nodes_ > kMaxNodes) return refuse(node, "more than " + std::to_string(kMaxNodes) + " values");
        switch (node.Type()) {
            case YAML::NodeType::Scalar:
                return scalar(node);
            case YAML::NodeType::Sequence:
                return sequence(node, depth);
            case YAML::NodeType::Map:
                return map(node, depth);
            case YAML::NodeType::Null:
            case YAML::NodeType::Undefined:
                break;
        }
        return nullptr;
    }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  private:
    json scalar(const YAML::Node& node) {
        const std::string& tag = node.Tag();
        if (tag == "!" || tag == "tag:yaml.org,2002:str") return node.Scalar();  // "!": in quotes
        if (tag.empty() || tag == "?") return plain_value(node.Scalar());
        return refuse(node, "the tag " + in_quotes(tag) + " means nothing here");
    }
    json sequence(const YAML::Node& node, unsigned depth) {
        json result = json::array();
        for (const YAML::Node& element : node) result.push_back(value_of(element, depth + 1));
        return result;
    }
    json map(const YAML::Node& node, unsigned depth) {
        json result = json::object();
        for (const auto& entry : node) {
            if (!entry.first.IsScalar()) return refuse(entry.first, "a key is a text");
            const std::string& key = entry.first.Scalar();
            if (result.contains(key)) return refuse(entry.first, "the key " + in_quotes(key) + " stands twice");
            result[key] = value_of(entry.second, depth + 1);
        }
        return result;
    }
    json refuse(const YAML::Node& node, const std::string& what) {
        if (!error_) error_ = flaw(node.Mark(), what);
        return nullptr;
    }

    std::size_t nodes_ = 0;
    std::optional<Error> error_;
};

}  // namespace

Result<std::vector<json>> read_documents(const std::string& text) {
    // JSON is nearly YAML: surrogate pairs and tabs are not. What is not whole JSON is read as YAML, which says where
    // it ends to be that, too.
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && text[first] == '{') {
        if (auto value = rpc::parse_json(text)) return std::vector{std::move(*value)};
    }
    try {
        std::vector<json> documents;
        Converter converter;
        for (const YAML::Node& node : YAML::LoadAll(text)) documents.push_back(converter.value_of(node, 0));
        if (converter.error()) return failure(*converter.error());
        return documents;
    } catch (const YAML::Exception& error) {
        return failure(flaw(error.mark, error.msg));
    }
}

json without_nulls(const json& value) {
    json result = value;
    if (value.is_object()) {
        result = json::object();
        for (const auto& [key, inner] : value.items())
            if (!inner.is_null()) result[key] = key == "matchLabels" ? inner : without_nulls(inner);
    } else if (value.is_array()) {
        for (json& inner : result) inner = without_nulls(inner);
    }
    return result;
}

}  // namespace bulkhead::policy_import
