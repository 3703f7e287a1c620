// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "control/policy_import/documents.h"
#include "control/policy_import/read_policies.h"
#include "control/policy_import/selector_json.h"
#include "vswitch/model/checks.h"

namespace bulkhead::policy_import {
namespace {

using enum api::JsonType;
using nlohmann::json;

constexpr api::Field kLabelsFile[] = {
    {.name = "ports", .type = object, .required = true, .help = "namespace and labels by the port's name"},
    {.name = "namespaces", .type = object, .required = true, .help = "labels by the namespace's name"},
};
constexpr api::Field kLabelledPort[] = {
    {.name = "namespace", .type = string, .required = true, .help = "the pod's namespace"},
    {.name = "labels", .type = object, .help = "the pod's labels"},
};
constexpr api::Field kNamespace[] = {
    {.name = "labels", .type = object, .help = "the namespace's labels"},
};

Result<Pod> decode_pod(const json& object) {
    config::ObjectReader reader(object, kLabelledPort, "a port");
    Pod pod{.space = reader.text("namespace"), .labels = read_labels(reader, "labels")};
    if (reader.ok() && pod.space.empty()) reader.refuse("namespace", "is empty", "\"\"", "the pod's namespace");
    return reader.finish(std::move(pod));
}

Result<Labels> decode_namespace(const json& object) {
    config::ObjectReader reader(object, kNamespace, "a namespace");
    return reader.finish(read_labels(reader, "labels"));
}

template <typename T>
std::map<std::string, T> decode_map_inside(config::ObjectReader& reader, std::string_view name,
                                           Result<T> (*decode)(const json&)) {
    std::map<std::string, T> values;
    const json* inside = reader.value(name);
    if (inside == nullptr) return values;
    for (const auto& [key, element] : inside->items()) {
        auto value = decode(element);
        if (value)
            values.emplace(key, std::move(*value));
        else
            reader.refuse_inside(std::move(value.error()), config::pointer_token(name) + config::pointer_token(key));
    }
    return values;
}

Result<Cluster> decode_cluster(const json& object) {
    config::ObjectReader reader(object, kLabelsFile, "the labels file");
    Cluster cluster{.ports = decode_map_inside(reader, "ports", decode_pod),
                    .namespaces = decode_map_inside(reader, "namespaces", decode_namespace)};
    for (const auto& [port, pod] : cluster.ports)
        if (!cluster.namespaces.contains(pod.space))
            reader.refuse_inside(refused("/namespace", "is not among /namespaces", in_quotes(pod.space),
                                         "one that is: with labels {} if it has none")
                                     .error(),
                                 "/ports" + config::pointer_token(port));
    // The cluster itself gives every namespace this label.
    for (auto& [space, labels] : cluster.namespaces) labels["kubernetes.io/metadata.name"] = space;
    return reader.finish(std::move(cluster));
}

}  // namespace

Result<Cluster> read_cluster(const std::string& text) {
    auto documents = read_documents(text);
    if (!documents) return failure(std::move(documents.error()));
    if (documents->size() != 1)
        return invalid("", "the labels file is one document", std::to_string(documents->size()) + " of them");
    return decode_cluster(documents->front());
}

}  // namespace bulkhead::policy_import
