// SPDX-License-Identifier: Apache-2.0
// How groups and the rules between them fit with what was taken before them.
#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

std::unexpected<Error> too_many_rules(const std::string& where, std::size_t most) {
    return failure({.code = ErrorCode::limit,
                    .message = "too many rules" + where,
                    .field = "/segment",
                    .got = std::to_string(most + 1) + " rules",
                    .allowed = "at most " + std::to_string(most)});
}

std::string name_in(const std::string& segment, const std::string& name) {
    return segment + "/" + name;
}

}  // namespace

Error no_such_group(std::string_view segment, std::string_view name, std::string field) {
    return no_such_object("group", name, std::move(field), "the name of a group of segment " + in_quotes(segment));
}

Result<> Admission::add(const Group& group) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_group(group); !ok) return ok;
        if (!mtu_of_segment_.contains(group.segment)) return failure(no_such_segment(group.segment, "/segment"));
        const auto other = group_by_id_.find({group.segment, group.id});
        if (other == group_by_id_.end()) return {};
        return refused("/id", "is taken by group " + in_quotes(other->second), std::to_string(group.id),
                       "an id that no other group of the segment has");
    };
    if (auto ok = about(check(), "group", name_in(group.segment, group.name)); !ok) return ok;
    group_by_id_.emplace(std::pair(group.segment, group.id), group.name);
    groups_.emplace(group.segment, group.name);
    return {};
}

Result<> Admission::check_group_of(const Port& port) const {
    for (const Attachment& attachment : port.attachments) {
        if (attachment.group.empty() || groups_.contains({attachment.segment, attachment.group})) continue;
        return failure(
            no_such_group(attachment.segment, attachment.group, attachment_pointer(port, attachment) + "/group"));
    }
    return {};
}

Result<> Admission::check_groups(const Policy& policy, const PolicyEnd& end, const std::string& field) const {
    for (std::size_t i = 0; i < end.groups.size(); ++i) {
        if (groups_.contains({policy.segment, end.groups[i]})) continue;
        return failure(no_such_group(policy.segment, end.groups[i], field + "/groups/" + std::to_string(i)));
    }
    return {};
}

Result<> Admission::check_to_port(const Policy& policy) const {
    if (policy.to_port.empty()) return {};
    const auto port = ports_.find(policy.to_port);
    if (port == ports_.end())
        return failure(no_such_object("port", policy.to_port, "/to_port", "the name of a port of the segment"));
    if (port->second.segments.contains(policy.segment)) return {};
    return refused("/to_port", "is not attached to segment " + in_quotes(policy.segment), in_quotes(policy.to_port),
                   "a port of the segment");
}

Result<> Admission::add(const Policy& policy) {
    const auto rules = rules_of_segment_.find(policy.segment);
    auto check = [&]() -> Result<> {
        if (auto ok = check_policy(policy); !ok) return ok;
        if (!mtu_of_segment_.contains(policy.segment)) return failure(no_such_segment(policy.segment, "/segment"));
        if (auto ok = check_groups(policy, policy.from, "/from"); !ok) return ok;
        if (auto ok = check_groups(policy, policy.to, "/to"); !ok) return ok;
        if (auto ok = check_to_port(policy); !ok) return ok;
        if (auto ok = check_mirror_rule(policy); !ok) return ok;
        if (rules != rules_of_segment_.end() && rules->second >= kMaxRulesOfSegment)
            return too_many_rules(" in segment " + in_quotes(policy.segment), kMaxRulesOfSegment);
        if (rules_ >= kMaxRules) return too_many_rules(" in all segments together", kMaxRules);
        return {};
    };
    if (auto ok = about(check(), "policy", name_in(policy.segment, policy.name)); !ok) return ok;
    ++rules_;
    ++rules_of_segment_[policy.segment];
    action_of_rule_.emplace(std::pair(policy.segment, policy.name), policy.action);
    if (policy.action != PolicyAction::mirror) return {};
    ++mirror_rules_;
    ++mirror_rules_of_segment_[policy.segment];
    return {};
}

}  // namespace bulkhead
