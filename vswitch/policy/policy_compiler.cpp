// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/policy_compiler.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "vswitch/policy/rule_set.h"
#include "vswitch/policy/segment_policy.h"

namespace bulkhead {
namespace {

/// Where a port of the segment is attached to it, if it is open.
AttachmentIndex attachment_of(const std::string& port, const std::string& segment, const Snapshot& snapshot,
                              const Model& model, const Indices& indices) {
    const auto found = model.ports.find(port);
    if (found == model.ports.end()) return kNoAttachment;
    for (const Attachment& attachment : found->second.attachments) {
        if (attachment.segment != segment) continue;
        const AttachmentIndex index = *indices.attachments.find(key_of(port, attachment));
        return snapshot.ports[snapshot.attachments[index].port].io == nullptr ? kNoAttachment : index;
    }
    return kNoAttachment;
}

/// How many connections each port may open. Behind a NIC or a tunnel there are many.
void add_shares(Snapshot& snapshot, const Model& model, const Indices& indices) {
    snapshot.connection_shares.assign(snapshot.ports.size(), kManyConnections);
    for (const auto& [name, port] : model.ports)
        if (!std::holds_alternative<EthdevDevice>(port.device))
            snapshot.connection_shares[*indices.ports.find(name)] = kConnectionsOfPod;
    for (const auto& [name, port] : model.ports)
        if (port.limits.connections) snapshot.connection_shares[*indices.ports.find(name)] = *port.limits.connections;
}

}  // namespace

std::map<std::string, GroupClass> classes_of(const std::map<std::string, Group>& groups) {
    std::map<std::string, GroupClass> classes;
    for (const auto& [name, group] : groups)
        classes.emplace(name, static_cast<GroupClass>(kUnknownGroup + 1 + classes.size()));
    return classes;
}

std::map<std::string, PolicyCompiler::Source> PolicyCompiler::sources_of(const Model& model, const Indices& indices) {
    std::map<std::string, Source> sources;
    for (const auto& [name, segment] : model.segments)
        if (segment.default_policy != DefaultPolicy::allow) sources[name].otherwise = segment.default_policy;
    for (const auto& [key, policy] : model.policies)
        if (policy.action != PolicyAction::mirror) sources[key.first].rules.push_back(policy);
    if (sources.empty()) return sources;
    for (const auto& [key, group] : model.groups)
        if (const auto source = sources.find(key.first); source != sources.end())
            source->second.groups[key.second] = group;
    for (const auto& [name, port] : model.ports) {
        for (const Attachment& attachment : port.attachments) {
            const auto source = sources.find(attachment.segment);
            if (source == sources.end()) continue;
            const AttachmentIndex index = *indices.attachments.find(key_of(name, attachment));
            source->second.members.emplace_back(index, attachment.group);
        }
    }
    for (const auto& [name, tunnel] : model.tunnels) {
        if (!tunnel.trust_groups) continue;
        for (const std::string& segment : tunnel.segments)
            if (const auto source = sources.find(segment); source != sources.end())
                source->second.trusted.push_back(*indices.attachments.find({port_name_of_tunnel(name), segment, 0}));
    }
    for (auto& [name, source] : sources)
        std::ranges::sort(source.rules, {}, [](const Policy& rule) { return std::tie(rule.order, rule.name); });
    return sources;
}

GroupClass PolicyCompiler::class_of(const std::string& segment, const std::string& group) const {
    const auto compiled = compiled_.find(segment);
    if (compiled == compiled_.end()) return kNoGroup;
    const auto classes = classes_of(compiled->second.source.groups);
    const auto known = classes.find(group);
    return known == classes.end() ? kNoGroup : known->second;
}

/// The groups as tunnels name them, if any may.
std::shared_ptr<const GroupClasses> PolicyCompiler::numbered(const Source& source) {
    if (source.trusted.empty()) return nullptr;
    auto groups = std::make_shared<GroupClasses>();
    for (const auto& [name, group] : classes_of(source.groups)) groups->add(source.groups.at(name).id, group);
    return groups;
}

void PolicyCompiler::compile(Compiled& compiled, const Indices& indices, const std::string& segment) {
    std::vector<const Policy*> rules;
    std::vector<RuleIndex> counters;
    for (const Policy& rule : compiled.source.rules) {
        rules.push_back(&rule);
        counters.push_back(*indices.rules.find({segment, rule.name}));
    }
    compiled.rules = std::make_shared<const RuleSet>(rules, counters, classes_of(compiled.source.groups));
}

void PolicyCompiler::add_policies(Snapshot& snapshot, const Model& model, const Indices& indices) {
    std::map<std::string, Source> sources = sources_of(model, indices);
    std::erase_if(compiled_, [&](const auto& entry) { return !sources.contains(entry.first); });
    snapshot.group_classes.assign(snapshot.attachments.size(), kNoGroup);
    for (auto& [segment, source] : sources) {
        Compiled& compiled = compiled_[segment];
        if (compiled.rules == nullptr || !(compiled.source == source)) {
            const bool keeps_rules = compiled.rules != nullptr && compiled.source.has_rules_of(source);
            compiled.source = std::move(source);
            compiled.generation = ++generations_;
            if (compiled.epoch == 0) compiled.epoch = compiled.generation;
            if (!keeps_rules) compile(compiled, indices, segment);
            compiled.groups = numbered(compiled.source);
        }
        auto policy = std::make_shared<SegmentPolicy>(SegmentPolicy{.rules = compiled.rules,
                                                                    .otherwise = compiled.source.otherwise,
                                                                    .groups = compiled.groups,
                                                                    .generation = compiled.generation,
                                                                    .epoch = compiled.epoch});
        for (const Policy& rule : compiled.source.rules) {
            const AttachmentIndex target =
                rule.to_port.empty() ? kNoAttachment : attachment_of(rule.to_port, segment, snapshot, model, indices);
            policy->targets.push_back(target);
            if (target != kNoAttachment && rule.action == PolicyAction::redirect)
                snapshot.attachments[target].is_middlebox = true;
        }
        const auto classes = classes_of(compiled.source.groups);
        for (const auto& [attachment, group] : compiled.source.members)
            if (!group.empty()) snapshot.group_classes[attachment] = classes.at(group);
        snapshot.segments[*indices.segments.find(segment)].policy = std::move(policy);
        snapshot.has_policies = true;
    }
    if (!snapshot.has_policies) return;
    add_shares(snapshot, model, indices);
    for (AttachmentIndex index = 0; index < snapshot.attachments.size(); ++index)
        if (snapshot.attachments[index].port != kNoPort &&
            snapshot.ports[snapshot.attachments[index].port].tunnel != nullptr)
            snapshot.group_classes[index] = kUnknownGroup;
}

}  // namespace bulkhead
