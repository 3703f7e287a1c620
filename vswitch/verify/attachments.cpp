// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/attachments.h"

#include <algorithm>
#include <map>

#include "vswitch/policy/segment_policy.h"

namespace bulkhead {
namespace {

const char* yes_or_no(bool flag) {
    return flag ? "yes" : "no";
}

std::string differs(const std::string& what, const std::string& installed, const std::string& meant) {
    return what + ": installed is " + installed + ", meant was " + meant;
}

class Comparison {
  public:
    Comparison(const InstalledTables& tables, const std::string& segment)
        : tables_(tables), segment_(segment), index_(tables.indices.segments.find(segment)) {}

    void compare(AttachmentSides& sides) const {
        sides.obstacle = obstacle_of(sides);
        if (sides.meant == nullptr)
            sides.differences.emplace_back("it is installed, and nobody configured it");
        else if (!sides.obstacle.empty())
            sides.differences.push_back(sides.obstacle);
        if (sides.meant == nullptr || sides.installed == kNoAttachment) return;
        const AttachmentEntry& entry = tables_.snapshot.attachments[sides.installed];
        const Attachment& meant = *sides.meant;
        flag(sides, "isolated", entry.isolated, meant.isolated);
        flag(sides, "tagged frames are carried", entry.carries_tags, meant.tagged == TaggedFrames::carry);
        flag(sides, "keep_tag", entry.keeps_tag, meant.keep_tag);
        const StationRules* const station = tables_.snapshot.station_rules[sides.installed].get();
        const bool is_checked = station != nullptr && entry.is_secured;
        if (is_checked != is_secured(meant))
            flag(sides, "its station is checked", is_checked, is_secured(meant));
        else if (is_checked && !(*station == StationRules(meant)))
            sides.differences.emplace_back(
                "security, guards, macs or ips: what its station may say is not what was meant");
        if (tables_.snapshot.group_classes[sides.installed] != class_of(meant.group))
            sides.differences.push_back("group: rules take it for one of another group than " +
                                        (meant.group.empty() ? "none" : meant.group));
    }

  private:
    [[nodiscard]] std::string obstacle_of(const AttachmentSides& sides) const {
        if (!index_ || sides.installed == kNoAttachment) return "it is not installed";
        const Snapshot& snapshot = tables_.snapshot;
        const AttachmentEntry& entry = snapshot.attachments[sides.installed];
        if (entry.port == kNoPort || entry.segment != *index_) return "it is not installed in this segment";
        const PortEntry& port = snapshot.ports[entry.port];
        if (port.io == nullptr) return "its port is not open";
        const AttachmentIndex incoming = entry.vlan == 0           ? port.untagged
                                         : port.by_vlan == nullptr ? kNoAttachment
                                                                   : (*port.by_vlan)[entry.vlan];
        if (incoming != sides.installed) return "frames that come in by it are not assigned to it";
        if (std::ranges::find(snapshot.segments[*index_].members, sides.installed) ==
            snapshot.segments[*index_].members.end())
            return "it is not among those that flooded frames go to";
        return {};
    }
    static void flag(AttachmentSides& sides, const char* what, bool installed, bool meant) {
        if (installed != meant) sides.differences.push_back(differs(what, yes_or_no(installed), yes_or_no(meant)));
    }
    [[nodiscard]] GroupClass class_of(const std::string& group) const {
        const auto found = classes_.find(group);
        if (found != classes_.end()) return found->second;
        return classes_[group] = group.empty() ? kNoGroup : tables_.policies.class_of(segment_, group);
    }

    const InstalledTables& tables_;
    const std::string& segment_;
    std::optional<std::uint16_t> index_;
    mutable std::map<std::string, GroupClass> classes_;
};

}  // namespace

std::vector<AttachmentSides> attachments_of(const InstalledTables& tables, const Model& intent,
                                            const std::string& segment) {
    std::map<AttachmentName, AttachmentSides> found;
    for (const auto& [name, port] : intent.ports)
        for (const Attachment& attachment : port.attachments)
            if (attachment.segment == segment) found[{name, attachment.vlan.value_or(0)}].meant = &attachment;
    for (const auto& [key, index] : tables.indices.attachments.in_use()) {
        const bool is_one =
            key.segment == segment && !tunnel_of_port_name(key.port) && index < tables.snapshot.attachments.size();
        if (is_one) found[{key.port, key.vlan}].installed = index;
    }
    const Comparison comparison(tables, segment);
    std::vector<AttachmentSides> result;
    for (auto& [name, sides] : found) {
        sides.name = name;
        comparison.compare(sides);
        result.push_back(std::move(sides));
    }
    return result;
}

std::vector<std::string> segment_differences(const InstalledTables& tables, const Model& intent,
                                             const std::string& segment) {
    std::vector<std::string> differences;
    const auto index = tables.indices.segments.find(segment);
    const auto meant = intent.segments.find(segment);
    const bool is_installed =
        index && *index < tables.snapshot.segments.size() && tables.snapshot.segments[*index].exists;
    if (!is_installed) return {"it is not installed"};
    if (meant == intent.segments.end()) return {"it is installed, and nobody configured it"};
    const SegmentEntry& entry = tables.snapshot.segments[*index];
    const auto number = [&](const char* what, std::uint32_t installed, std::uint32_t wanted) {
        if (installed != wanted)
            differences.push_back(differs(what, std::to_string(installed), std::to_string(wanted)));
    };
    number("vni", entry.vni, meant->second.vni);
    number("mtu", entry.mtu, meant->second.mtu);
    number("mac_limit", entry.mac_limit, meant->second.mac_limit);
    number("mac_age_s", entry.mac_age_s, meant->second.mac_age_s);
    const auto mode = [](FloodMode flood) {
        return flood == FloodMode::all ? "all" : flood == FloodMode::known ? "known" : "none";
    };
    if (entry.flood != meant->second.flood)
        differences.push_back(differs("flood", mode(entry.flood), mode(meant->second.flood)));
    const auto spoken = [](DefaultPolicy policy) { return policy == DefaultPolicy::allow ? "allow" : "deny"; };
    const DefaultPolicy otherwise = entry.policy == nullptr ? DefaultPolicy::allow : entry.policy->otherwise;
    if (otherwise != meant->second.default_policy)
        differences.push_back(differs("default_policy", spoken(otherwise), spoken(meant->second.default_policy)));
    return differences;
}

}  // namespace bulkhead
