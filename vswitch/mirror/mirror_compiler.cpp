// SPDX-License-Identifier: Apache-2.0
#include "vswitch/mirror/mirror_compiler.h"

#include <algorithm>
#include <utility>

#include "vswitch/mirror/mirror_table.h"
#include "vswitch/policy/policy_compiler.h"

namespace bulkhead {
namespace {

/// The table as it grows.
class Builder {
  public:
    Builder(Snapshot& snapshot, const Indices& indices) : snapshot_(snapshot), indices_(indices) {
        table_.ports.resize(snapshot.ports.size());
        table_.segments.resize(snapshot.segments.size());
    }

    void add(const Mirror& mirror) {
        const std::string to = mirror.vni ? port_name_of_tunnel(mirror.to) : mirror.to;
        const std::uint16_t place =
            entry({"", mirror.name}, to, mirror.vni.value_or(0), mirror.snaplen.value_or(UINT32_MAX));
        if (place == kNoMirror) return;
        if (!mirror.policy.empty()) {
            if (table_.decided.empty()) table_.decided.resize(indices_.rules.bound());
            table_.decided[*indices_.rules.find({mirror.segment, mirror.policy})].push_back(place);
            return;
        }
        const bool is_port = !mirror.port.empty();
        MirrorSource& source = is_port ? table_.ports[*indices_.ports.find(mirror.port)]
                                       : table_.segments[*indices_.segments.find(mirror.segment)];
        const bool ins = mirror.direction != MirrorDirection::out, outs = mirror.direction != MirrorDirection::in;
        if (ins) source.in.push_back(place);
        // What leaves a segment has come into it, where a mirror of both directions has seen it.
        if (outs && (is_port || !ins)) source.out.push_back(place);
        if (outs) source.answers.push_back(place);
    }

    /// The place of a rule that mirrors to `port`.
    [[nodiscard]] std::uint16_t add(const Policy& rule) {
        return entry({rule.segment, rule.name}, rule.to_port, 0, UINT32_MAX);
    }

    MirrorTable& table() { return table_; }

    void finish() {
        if (!table_.entries.empty()) snapshot_.mirrors = std::make_shared<MirrorTable>(std::move(table_));
    }

  private:
    std::uint16_t entry(const std::pair<std::string, std::string>& key, const std::string& to, std::uint32_t vni,
                        std::uint32_t snaplen) {
        const MirrorTarget target{.port = *indices_.ports.find(to), .vni = vni};
        if (snapshot_.ports[target.port].io == nullptr) return kNoMirror;
        auto known = std::ranges::find(table_.targets, target);
        if (known == table_.targets.end()) known = table_.targets.insert(known, target);
        table_.entries.push_back({.index = *indices_.mirrors.find(key),
                                  .target = static_cast<std::uint16_t>(known - table_.targets.begin()),
                                  .snaplen = snaplen});
        return static_cast<std::uint16_t>(table_.entries.size() - 1);
    }

    Snapshot& snapshot_;
    const Indices& indices_;
    MirrorTable table_;
};

/// Who is of which group, where no policy has said it already.
void add_classes(Snapshot& snapshot, const Model& model, const Indices& indices, const std::string& segment,
                 const std::map<std::string, GroupClass>& classes) {
    for (const auto& [name, port] : model.ports)
        for (const Attachment& attachment : port.attachments)
            if (attachment.segment == segment && !attachment.group.empty())
                snapshot.group_classes[*indices.attachments.find(key_of(name, attachment))] =
                    classes.at(attachment.group);
    for (const auto& [name, tunnel] : model.tunnels)
        if (std::ranges::find(tunnel.segments, segment) != tunnel.segments.end())
            snapshot.group_classes[*indices.attachments.find({port_name_of_tunnel(name), segment, 0})] = kUnknownGroup;
}

/// The groups as tunnels of the segment name them, if any may.
std::shared_ptr<const GroupClasses> numbered(const Model& model, const std::string& segment,
                                             const std::map<std::string, Group>& groups) {
    const bool is_told = std::ranges::any_of(model.tunnels, [&](const auto& entry) {
        const Tunnel& tunnel = entry.second;
        return tunnel.trust_groups && std::ranges::find(tunnel.segments, segment) != tunnel.segments.end();
    });
    if (!is_told) return nullptr;
    auto result = std::make_shared<GroupClasses>();
    for (const auto& [name, group_class] : classes_of(groups)) result->add(groups.at(name).id, group_class);
    return result;
}

}  // namespace

std::map<std::string, MirrorCompiler::Source> MirrorCompiler::sources_of(const Model& model) {
    std::map<std::string, Source> sources;
    for (const auto& [key, policy] : model.policies)
        if (policy.action == PolicyAction::mirror) sources[key.first].rules.push_back(policy);
    if (sources.empty()) return sources;
    for (const auto& [key, group] : model.groups)
        if (const auto source = sources.find(key.first); source != sources.end())
            source->second.groups[key.second] = group;
    return sources;
}

const MirrorCompiler::Compiled& MirrorCompiler::compiled(const std::string& segment, Source source,
                                                         const Indices& indices) {
    Compiled& known = compiled_[segment];
    if (known.rules != nullptr && known.source == source) return known;
    known.source = std::move(source);
    std::vector<const Policy*> rules;
    std::vector<RuleIndex> counters;
    for (const Policy& rule : known.source.rules) {
        rules.push_back(&rule);
        counters.push_back(*indices.rules.find({segment, rule.name}));
    }
    known.rules = std::make_shared<const RuleSet>(rules, counters, classes_of(known.source.groups));
    return known;
}

void MirrorCompiler::add_mirrors(Snapshot& snapshot, const Model& model, const Indices& indices) {
    Builder builder(snapshot, indices);
    for (const auto& [name, mirror] : model.mirrors) builder.add(mirror);
    std::map<std::string, Source> sources = sources_of(model);
    std::erase_if(compiled_, [&](const auto& entry) { return !sources.contains(entry.first); });
    if (!sources.empty()) builder.table().rules.resize(snapshot.segments.size());
    for (auto& [segment, source] : sources) {
        const Compiled& known = compiled(segment, std::move(source), indices);
        const SegmentIndex index = *indices.segments.find(segment);
        auto made = std::make_shared<SegmentMirrors>();
        made->rules = known.rules;
        made->groups = numbered(model, segment, known.source.groups);
        for (const Policy& rule : known.source.rules) {
            made->asks_receiver |= !rule.to.groups.empty();
            made->mirrors.push_back(builder.add(rule));
        }
        if (snapshot.segments[index].policy == nullptr)
            add_classes(snapshot, model, indices, segment, classes_of(known.source.groups));
        builder.table().rules[index] = std::move(made);
    }
    builder.finish();
}

}  // namespace bulkhead
