// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/selector_json.h"

#include <utility>

#include "vswitch/model/checks.h"

namespace bulkhead::policy_import {
namespace {

using enum api::JsonType;
using nlohmann::json;
using Operator = Requirement::Operator;

constexpr api::Field kSelector[] = {
    {.name = "matchLabels", .type = object, .help = "labels that must have these values"},
    {.name = "matchExpressions", .type = array, .help = "requirements", .items = object},
};
constexpr api::Field kRequirement[] = {
    {.name = "key", .type = string, .required = true, .help = "a label's key"},
    {.name = "operator", .type = string, .required = true, .help = "In, NotIn, Exists or DoesNotExist"},
    {.name = "values", .type = array, .help = "of In and NotIn"},
};
constexpr config::EnumName<Operator> kOperators[] = {{Operator::in, "In"},
                                                     {Operator::not_in, "NotIn"},
                                                     {Operator::exists, "Exists"},
                                                     {Operator::does_not_exist, "DoesNotExist"}};

Result<Requirement> decode_requirement(const json& object) {
    config::ObjectReader reader(object, kRequirement, "a requirement");
    Requirement requirement;
    requirement.key = reader.text("key");
    if (requirement.key.empty()) reader.refuse("key", "is empty", "\"\"", "a label's key");
    if (reader.ok()) requirement.op = reader.choice("operator", kOperators);
    requirement.values = reader.texts("values");
    const bool takes_values = requirement.op == Operator::in || requirement.op == Operator::not_in;
    if (reader.ok() && takes_values && requirement.values.empty())
        reader.refuse("values", "is missing", kNothing, "at least one value");
    if (reader.ok() && !takes_values && !requirement.values.empty())
        reader.refuse("values", "is not for this operator", config::shown(json(requirement.values)),
                      "none with " + reader.text("operator"));
    return reader.finish(std::move(requirement));
}

}  // namespace

Labels read_labels(config::ObjectReader& reader, std::string_view name) {
    Labels labels;
    const json* object = reader.value(name);
    if (object == nullptr) return labels;
    for (const auto& [key, value] : object->items()) {
        if (!value.is_string())
            reader.refuse_inside(
                invalid(config::pointer_token(key), "a label's value is a string: numbers and booleans want quotes",
                        config::shown(value), "a string")
                    .error(),
                config::pointer_token(name));
        else
            labels[key] = value.get<std::string>();
    }
    return labels;
}

Result<Selector> decode_selector(const json& object) {
    config::ObjectReader reader(object, kSelector, "a label selector");
    Selector selector;
    for (auto& [key, value] : read_labels(reader, "matchLabels"))
        selector.requirements.push_back({.key = key, .op = Operator::in, .values = {value}});
    if (auto more = decode_list_inside(reader, "matchExpressions", decode_requirement))
        selector.requirements.insert(selector.requirements.end(), more->begin(), more->end());
    return reader.finish(std::move(selector));
}

}  // namespace bulkhead::policy_import
