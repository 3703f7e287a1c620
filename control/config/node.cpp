// SPDX-License-Identifier: Apache-2.0
#include "control/config/node.h"

#include <charconv>
#include <limits>

#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::uint32_t kMinMemoryMib = 64, kMaxMemoryMib = 65536, kMaxSleepUs = 100'000;

// "N" or "N-M"; what follows is left in `text`.
bool take_core_range(std::string_view& text) {
    auto take_number = [&text](unsigned& number) {
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        return error == std::errc() && number < 4096;
    };
    unsigned first = 0, last = 0;
    if (!take_number(first)) return false;
    if (!text.starts_with('-')) return true;
    text.remove_prefix(1);
    return take_number(last) && first <= last;
}

bool is_core_list(std::string_view text) {
    while (take_core_range(text)) {
        if (text.empty()) return true;
        if (!text.starts_with(',')) return false;
        text.remove_prefix(1);
    }
    return false;
}

void decode_idle(ObjectReader& reader, Node& node) {
    const json* idle = reader.value("idle");
    if (idle == nullptr) return;
    ObjectReader inner(*idle, api::idle_fields(), "idle");
    node.idle_mode = inner.choice("mode", kIdleModes);
    node.max_sleep_us = static_cast<std::uint32_t>(inner.number("max_sleep_us", 1, kMaxSleepUs));
    if (auto done = inner.finish(true); !done) reader.refuse_inside(std::move(done.error()), "/idle");
}

void decode_group(ObjectReader& reader, RoleRule& rule) {
    if (!reader.has("group")) return;
    const json& group = *reader.value("group");
    if (group.is_string() && !group.get_ref<const std::string&>().empty()) {
        rule.group = group.get<std::string>();
    } else if (group.is_number_integer()) {
        rule.group = static_cast<std::uint32_t>(reader.number("group", 0, kMaxId));
    } else {
        reader.refuse("group", "is no group", shown(group), "a name or a number");
    }
}

Result<RoleRule> decode_role(const json& object) {
    ObjectReader reader(object, api::role_fields(), "a role");
    RoleRule rule;
    if (auto uid = reader.optional_number("uid", 0, kMaxId)) rule.uid = static_cast<std::uint32_t>(*uid);
    decode_group(reader, rule);
    rule.role = reader.choice("role", kRoles);
    rule.tenant = reader.text("tenant");
    if (!reader.ok()) return reader.finish(std::move(rule));
    if (reader.has("uid") == reader.has("group")) {
        reader.refuse(invalid("", "a role is for a uid or for a group", {}, "one of uid and group").error());
    }
    if (rule.role == Role::tenant && rule.tenant.empty()) {
        reader.refuse("tenant", "is missing", {}, "the tenant's name, with \"role\": \"tenant\"");
    }
    if (rule.role != Role::tenant && !rule.tenant.empty()) {
        reader.refuse("tenant", "is only for \"role\": \"tenant\"", in_quotes(rule.tenant));
    }
    if (auto ok = check_optional_name(rule.tenant, "/tenant"); !ok) reader.refuse(std::move(ok.error()));
    return reader.finish(std::move(rule));
}

void decode_roles(ObjectReader& reader, Node& node) {
    const json* roles = reader.value("roles");
    if (roles == nullptr) return;
    for (std::size_t i = 0; i < roles->size(); ++i) {
        auto rule = decode_role((*roles)[i]);
        if (!rule) return reader.refuse_inside(std::move(rule.error()), "/roles/" + std::to_string(i));
        node.roles.push_back(std::move(*rule));
    }
}

std::vector<std::string> folders(ObjectReader& reader, std::string_view name) {
    std::vector<std::string> result = reader.texts(name);
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (result[i].starts_with('/')) continue;
        reader.refuse(refused(pointer_token(name) + "/" + std::to_string(i), "is not an absolute path",
                              in_quotes(result[i]), "an absolute path")
                          .error());
    }
    return result;
}

json encode(const RoleRule& rule) {
    json object = {{"role", name_of(rule.role, kRoles)}, {"tenant", rule.tenant}};
    if (rule.uid) object["uid"] = *rule.uid;
    if (const auto* number = std::get_if<std::uint32_t>(&rule.group)) object["group"] = *number;
    if (const auto* name = std::get_if<std::string>(&rule.group)) object["group"] = *name;
    return object;
}

}  // namespace

Result<Node> decode_node(const json& object) {
    ObjectReader reader(object, api::node_fields(), "node");
    Node node;
    node.name = reader.text("name");
    node.cores = reader.text("cores");
    if (reader.ok() && !is_core_list(node.cores)) {
        reader.refuse("cores", "is no list of CPU cores", in_quotes(node.cores), R"(like "1", "2-5" or "1,3")");
    }
    node.memory_mib = static_cast<std::uint32_t>(reader.number("memory_mib", kMinMemoryMib, kMaxMemoryMib));
    node.hugepages = reader.choice("hugepages", kHugepages);
    node.eal_args = reader.texts("eal_args");
    decode_idle(reader, node);
    decode_roles(reader, node);
    node.netns_roots = folders(reader, "netns_roots");
    node.vhost_roots = folders(reader, "vhost_roots");
    if (auto ok = check_optional_name(node.name, "/name"); !ok) reader.refuse(std::move(ok.error()));
    return reader.finish(std::move(node));
}

json encode(const Node& node) {
    json roles = json::array();
    for (const RoleRule& rule : node.roles) roles.push_back(encode(rule));
    return {{"name", node.name},
            {"cores", node.cores},
            {"memory_mib", node.memory_mib},
            {"hugepages", name_of(node.hugepages, kHugepages)},
            {"eal_args", node.eal_args},
            {"idle", {{"mode", name_of(node.idle_mode, kIdleModes)}, {"max_sleep_us", node.max_sleep_us}}},
            {"roles", std::move(roles)},
            {"netns_roots", node.netns_roots},
            {"vhost_roots", node.vhost_roots}};
}

}  // namespace bulkhead::config
