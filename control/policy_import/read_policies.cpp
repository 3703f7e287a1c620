// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/read_policies.h"

#include <algorithm>
#include <utility>

#include "control/policy_import/documents.h"
#include "control/policy_import/policy_spec.h"
#include "control/policy_import/selector_json.h"
#include "vswitch/model/checks.h"

namespace bulkhead::policy_import {
namespace {

using enum api::JsonType;
using nlohmann::json;

constexpr const char* kPolicyFor = "k8s.v1.cni.cncf.io/policy-for";
constexpr const char* kKind = "MultiNetworkPolicy";
constexpr const char* kListKind = "MultiNetworkPolicyList";

constexpr api::Field kPolicy[] = {
    {.name = "apiVersion", .type = string, .required = true, .help = "k8s.cni.cncf.io/v1beta1 or v1beta2"},
    {.name = "kind", .type = string, .required = true, .help = kKind},
    {.name = "metadata", .type = object, .required = true, .help = "name, namespace, annotations"},
    {.name = "spec", .type = object, .required = true, .help = "podSelector, policyTypes, ingress, egress"},
    {.name = "status", .type = object, .help = "not looked at"},
};

std::string member(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "shop/blue, red" → blue, red: segments have no namespaces.
std::vector<std::string> networks_in(const std::string& annotation) {
    constexpr const char* kSpace = " \t\n";
    std::vector<std::string> networks;
    for (std::size_t at = 0; at <= annotation.size();) {
        const std::size_t end = std::min(annotation.find(',', at), annotation.size());
        std::string name = annotation.substr(at, end - at);
        if (const auto slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
        name.erase(0, std::min(name.find_first_not_of(kSpace), name.size()));
        name.erase(name.find_last_not_of(kSpace) + 1);
        if (!name.empty()) networks.push_back(std::move(name));
        at = end + 1;
    }
    return networks;
}

/// Kubernetes puts much into metadata that is of no meaning here, so only what is used is looked at.
void read_metadata(config::ObjectReader& reader, NetworkPolicy& policy) {
    const json* metadata = reader.value("metadata");
    if (metadata == nullptr) return;
    policy.name = member(*metadata, "name");
    if (policy.name.empty())
        reader.refuse(refused("/metadata/name", "is missing", kNothing, "the policy's name").error());
    policy.space = member(*metadata, "namespace");
    if (policy.space.empty()) policy.space = "default";
    const json annotations = metadata->value("annotations", json::object());
    if (!annotations.is_object() || (annotations.contains(kPolicyFor) && !annotations.at(kPolicyFor).is_string()))
        reader.refuse(
            refused("/metadata/annotations", "has the wrong type", config::shown(annotations), "an object of strings")
                .error());
    else
        policy.networks = networks_in(annotations.value(kPolicyFor, ""));
}

Result<NetworkPolicy> decode_policy(const json& object) {
    const std::string kind = member(object, "kind"), version = member(object, "apiVersion");
    if (object.is_object() && kind != kKind)
        return invalid("/kind", "this is no MultiNetworkPolicy", in_quotes(kind),
                       "MultiNetworkPolicy, or a List of them");
    config::ObjectReader reader(object, kPolicy, "a MultiNetworkPolicy");
    if (version != "k8s.cni.cncf.io/v1beta1" && version != "k8s.cni.cncf.io/v1beta2")
        reader.refuse("apiVersion", "is none of those known", in_quotes(version),
                      "k8s.cni.cncf.io/v1beta1 or k8s.cni.cncf.io/v1beta2");
    NetworkPolicy policy;
    if (auto spec = decode_inside(reader, "spec", decode_spec)) policy = std::move(*spec);
    read_metadata(reader, policy);
    return reader.finish(std::move(policy));
}

Result<> append_policies(std::vector<NetworkPolicy>& policies, const json& object) {
    const std::string kind = member(object, "kind");
    if (kind != "List" && kind != kListKind) {
        auto policy = decode_policy(object);
        if (!policy) return failure(std::move(policy.error()));
        policies.push_back(std::move(*policy));
        return {};
    }
    const json items = object.value("items", json());
    if (!items.is_array()) return invalid("/items", "must be an array", config::shown(items), "an array");
    for (std::size_t at = 0; at < items.size(); ++at) {
        auto ok = append_policies(policies, items[at]);
        if (ok) continue;
        ok.error().field.insert(0, "/items/" + std::to_string(at));
        return ok;
    }
    return {};
}

/// "2", or "2 (shop/web)" where it says so.
std::string name_of_document(std::size_t number, const json& document) {
    const json metadata = document.is_object() ? document.value("metadata", json()) : json();
    const std::string name = member(metadata, "name"), space = member(metadata, "namespace");
    std::string text = std::to_string(number);
    if (!name.empty()) text += " (" + (space.empty() ? name : space + "/" + name) + ")";
    return text;
}

}  // namespace

Result<std::vector<NetworkPolicy>> read_policies(const std::string& text) {
    auto documents = read_documents(text);
    if (!documents) return failure(std::move(documents.error()));
    std::vector<NetworkPolicy> policies;
    for (std::size_t at = 0; at < documents->size(); ++at) {
        const json document = without_nulls((*documents)[at]);
        if (document.is_null()) continue;
        auto ok = append_policies(policies, document);
        if (ok) continue;
        ok.error().object_kind = "document";
        ok.error().object_name = name_of_document(at + 1, document);
        return failure(std::move(ok.error()));
    }
    return policies;
}

std::string text_of(const Error& error) {
    std::string text;
    if (!error.object_kind.empty()) text += error.object_kind + " " + error.object_name + ": ";
    if (!error.field.empty()) text += error.field + ": ";
    text += error.message;
    if (!error.got.empty()) text += "; got " + error.got;
    if (!error.allowed.empty()) text += "; allowed " + error.allowed;
    return text;
}

}  // namespace bulkhead::policy_import
