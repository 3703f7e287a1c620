// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/transition.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "control/policy_import/pod_classes.h"
#include "control/policy_import/rules.h"

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;

constexpr const char* kGroups = "groups";
constexpr const char* kPolicies = "policies";

json list_of(const json& document, const char* name) {
    const auto list = document.find(name);
    return list == document.end() ? json::array() : *list;
}

/// An attachment, or the port itself for untagged frames.
bool is_attached(const json& attachment, const std::string& segment) {
    return attachment.value("segment", json()) == json(segment);
}

std::string group_in(const json& attachment) {
    const json group = attachment.value("group", json());
    return group.is_string() ? group.get<std::string>() : std::string();
}

/// The port's group in the segment; nothing when it is not attached to it.
std::optional<std::string> group_in(const json& port, const std::string& segment) {
    if (is_attached(port, segment)) return group_in(port);
    for (const json& attachment : list_of(port, "vlans"))
        if (is_attached(attachment, segment)) return group_in(attachment);
    return std::nullopt;
}

PortChange change_of(const json& port, const std::string& group, const std::string& segment) {
    const json value = group.empty() ? json() : json(group);
    const auto name = port.at("name").get<std::string>();
    if (is_attached(port, segment)) return {name, group, {{"name", name}, {"group", value}}};
    json vlans = list_of(port, "vlans");  // a list is replaced as a whole
    for (json& attachment : vlans) {
        if (!is_attached(attachment, segment)) continue;
        if (group.empty())
            attachment.erase("group");
        else
            attachment["group"] = group;
    }
    return {name, group, {{"name", name}, {"vlans", std::move(vlans)}}};
}

/// The owner's configuration without its node, which is fixed, and without what it has in the segment of this kind.
json without(json own, const char* kind, const std::string& segment) {
    own.erase("node");
    json others = json::array();
    for (json& object : list_of(own, kind))
        if (!is_attached(object, segment)) others.push_back(std::move(object));
    own[kind] = std::move(others);
    return own;
}

using Ids = std::map<std::string, std::uint16_t>;

/// The owner's groups of the segment, by name.
Ids present_ids(const json& own, const std::string& segment) {
    Ids ids;
    for (const json& group : list_of(own, kGroups))
        if (is_attached(group, segment)) ids[group.at("name")] = group.at("id").get<std::uint16_t>();
    return ids;
}

/// Adds the import's groups. While others stay, one may have the number that is to be another's: then that one has a
/// number that nobody has, until the last step.
void add_beside(Ids& ids, const std::vector<Group>& groups) {
    std::set<std::uint16_t> taken;
    for (const auto& [name, id] : ids) taken.insert(id);
    std::vector<const Group*> displaced;
    for (const Group& group : groups) {
        if (ids.contains(group.name)) continue;
        if (taken.insert(group.id).second)
            ids[group.name] = group.id;
        else
            displaced.push_back(&group);
    }
    std::uint16_t id = kFirstGroupId;
    for (const Group* group : displaced) {
        while (!taken.insert(id).second) ++id;
        ids[group->name] = id;
    }
}

void append_groups(json& document, const Ids& ids, const std::string& segment) {
    for (const auto& [name, id] : ids)
        document[kGroups].push_back(encode(Group{.segment = segment, .name = name, .id = id}));
}

}  // namespace

std::set<std::string> groups_of(const json& own, const std::string& segment) {
    std::set<std::string> names;
    for (const auto& [name, id] : present_ids(own, segment)) names.insert(name);
    return names;
}

PortPlan plan_ports(const json& ports, const std::set<std::string>& own_groups, const Import& import) {
    PortPlan plan;
    std::set<std::string> attached;
    for (const json& port : ports) {
        const auto is = group_in(port, import.segment);
        if (!is) continue;
        const auto name = port.at("name").get<std::string>();
        attached.insert(name);
        const auto wanted = import.group_of.find(name);
        if (wanted == import.group_of.end()) plan.unlabelled.push_back(name);
        const std::string group = wanted == import.group_of.end() ? std::string() : wanted->second;
        const bool is_foreign = !is->empty() && *is != group && !own_groups.contains(*is);
        if (is_foreign && !group.empty())
            plan.foreign.push_back(name);
        else if (is->empty() && !group.empty())
            plan.first.push_back(change_of(port, group, import.segment));
        else if (*is != group && !is_foreign)
            plan.later.push_back(change_of(port, group, import.segment));
        else if (!group.empty())
            plan.right.push_back(name);
    }
    for (const auto& [name, group] : import.group_of)
        if (!attached.contains(name)) plan.absent.push_back(name);
    return plan;
}

std::set<std::string> used_groups(const json& ports, const std::set<std::string>& groups, const std::string& segment) {
    std::set<std::string> used;
    for (const json& port : ports)
        if (const auto group = group_in(port, segment); group && groups.contains(*group)) used.insert(*group);
    return used;
}

json with_new_groups(const json& own, const Import& import) {
    Ids ids = present_ids(own, import.segment);
    add_beside(ids, import.groups);
    json document = without(own, kGroups, import.segment);
    append_groups(document, ids, import.segment);
    return document;
}

json with_import(const json& own, const Import& import, const std::set<std::string>& kept) {
    const Ids present = present_ids(own, import.segment);
    Ids ids;
    std::vector<std::string> leaving;
    for (const auto& [name, id] : present) {
        const bool is_imported = std::ranges::find(import.groups, name, &Group::name) != import.groups.end();
        if (!is_imported && kept.contains(name)) leaving.push_back(name);
        if (!is_imported && !kept.contains(name)) continue;
        ids[name] = id;
    }
    if (leaving.empty()) ids.clear();
    add_beside(ids, import.groups);
    json document = without(without(own, kGroups, import.segment), kPolicies, import.segment);
    append_groups(document, ids, import.segment);
    for (const std::vector<Policy>& rules : {denials_of(leaving), import.rules})
        for (Policy rule : rules) {
            rule.segment = import.segment;
            document[kPolicies].push_back(encode(rule));
        }
    return document;
}

}  // namespace bulkhead::policy_import
