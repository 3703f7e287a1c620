// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "control/config/object_reader.h"
#include "control/policy_import/network_policy.h"

namespace bulkhead::policy_import {

/// A LabelSelector of Kubernetes (k8s.io/apimachinery/pkg/apis/meta/v1).
[[nodiscard]] Result<Selector> decode_selector(const nlohmann::json& object);

/// {"app": "web"}; `name` is the field of `reader` that holds it, absent: none.
[[nodiscard]] Labels read_labels(config::ObjectReader& reader, std::string_view name);

/// Decodes an object or the elements of an array inside the one that `reader` reads, if they are there.
template <typename T>
std::optional<T> decode_inside(config::ObjectReader& reader, std::string_view name,
                               Result<T> (*decode)(const nlohmann::json&)) {
    const nlohmann::json* inside = reader.value(name);
    if (inside == nullptr) return std::nullopt;
    auto value = decode(*inside);
    if (value) return std::move(*value);
    reader.refuse_inside(std::move(value.error()), config::pointer_token(name));
    return std::nullopt;
}

template <typename T>
std::optional<std::vector<T>> decode_list_inside(config::ObjectReader& reader, std::string_view name,
                                                 Result<T> (*decode)(const nlohmann::json&)) {
    const nlohmann::json* list = reader.value(name);
    if (list == nullptr) return std::nullopt;
    std::vector<T> values;
    for (const nlohmann::json& element : *list) {
        auto value = decode(element);
        if (!value) {
            reader.refuse_inside(std::move(value.error()),
                                 config::pointer_token(name) + "/" + std::to_string(values.size()));
            return std::nullopt;
        }
        values.push_back(std::move(*value));
    }
    return values;
}

}  // namespace bulkhead::policy_import
