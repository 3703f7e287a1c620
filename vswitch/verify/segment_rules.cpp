// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/segment_rules.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "vswitch/explain/rule_steps.h"
#include "vswitch/policy/judge.h"

namespace bulkhead {
namespace {

/// What a rule says about kinds of frames, without its ends and ports.
class KindRule {
  public:
    explicit KindRule(const Policy& rule) : asks_ip_(!rule.from.ips.empty() || !rule.to.ips.empty()) {
        bare_.ethertype = rule.ethertype;
        bare_.protocol = rule.protocol;
        bare_.icmp_types = rule.icmp_types;
        bare_.action = rule.action;
        bare_.stateful = rule.stateful;
    }
    [[nodiscard]] auto key() const {
        return std::tie(asks_ip_, bare_.ethertype, bare_.protocol, bare_.icmp_types, bare_.action, bare_.stateful);
    }
    bool operator<(const KindRule& other) const { return key() < other.key(); }

    /// By the interpreter of rules. Whether it decides, given that all else matches.
    [[nodiscard]] std::vector<bool> decides(const std::vector<FrameKind>& kinds) const {
        std::vector<bool> result;
        for (const FrameKind& kind : kinds) {
            const bool fits = !asks_ip_ || kind.family() != FlowFamily::none;
            const RuleQuestion question{.flow = kind.flow, .from_group = {}, .to_group = {}};
            result.push_back(fits && ask_rules({&bare_}, DefaultPolicy::deny, question).rule != nullptr);
        }
        return result;
    }

  private:
    bool asks_ip_;
    Policy bare_;
};

bool decides(const CompiledRule& rule, const FrameKind& kind) {
    const bool is_stray = !kind.opens() && !kind.is_resolution();
    return rule.action != PolicyAction::mirror && !(is_stray && rule.stateful && lets_pass(rule.action));
}

}  // namespace

SegmentRules::SegmentRules(const Model& intent, const std::string& segment, const SegmentPolicy* in_force)
    : installed(in_force) {
    for (const auto& [key, rule] : intent.policies)
        if (key.first == segment) written.push_back(&rule);
    std::ranges::sort(written, {}, [](const Policy* rule) { return std::tie(rule->order, rule->name); });
    if (const auto found = intent.segments.find(segment); found != intent.segments.end())
        otherwise = found->second.default_policy;
    for (const Policy* rule : written) {
        if (rule->ethertype) ethertypes.push_back(*rule->ethertype);
        asks_macs |= !rule->from.macs.empty() || !rule->to.macs.empty();
        asks_ips |= !rule->from.ips.empty() || !rule->to.ips.empty();
    }
    if (installed != nullptr) {
        const RuleCells cells(*installed->rules);
        for (const std::uint16_t ethertype : cells.ethertypes()) ethertypes.push_back(ethertype);
        pieces[index_of(Slot::source_v4)] = cells.addresses(FlowFamily::ipv4, true);
        pieces[index_of(Slot::destination_v4)] = cells.addresses(FlowFamily::ipv4, false);
        pieces[index_of(Slot::source_v6)] = cells.addresses(FlowFamily::ipv6, true);
        pieces[index_of(Slot::destination_v6)] = cells.addresses(FlowFamily::ipv6, false);
        pieces[index_of(Slot::source_port)] = cells.source_ports();
        pieces[index_of(Slot::service)] = cells.services();
        source_macs = cells.macs(true);
        destination_macs = cells.macs(false);
        asks_macs |= installed->rules->asks_macs();
        asks_ips |= !pieces[index_of(Slot::source_v4)].empty() || !pieces[index_of(Slot::destination_v4)].empty();
    }
    std::ranges::sort(ethertypes);
    const auto repeated = std::ranges::unique(ethertypes);
    ethertypes.erase(repeated.begin(), repeated.end());
    kinds = frame_kinds(ethertypes);
    sort_kinds();
}

RuleSetBits SegmentRules::installed_about(const FrameKind& kind) const {
    if (installed == nullptr) return {};
    RuleSetBits about = RuleCells(*installed->rules).about(kind.flow);
    for (std::uint16_t rule = 0; rule < installed->rules->size(); ++rule)
        if (!decides((*installed->rules)[rule], kind)) clear_rule(about, rule);
    return about;
}

void SegmentRules::sort_kinds() {
    std::map<KindRule, std::vector<bool>> known;
    std::vector<Marks> marks(kinds.size(), no_marks(written.size()));
    for (std::size_t rule = 0; rule < written.size(); ++rule) {
        const KindRule bare(*written[rule]);
        auto found = known.find(bare);
        if (found == known.end()) found = known.emplace(bare, bare.decides(kinds)).first;
        for (std::size_t kind = 0; kind < kinds.size(); ++kind)
            if (found->second[kind]) mark(marks[kind], rule);
    }
    using Key = std::tuple<FlowFamily, bool, bool, Marks, RuleSetBits>;
    std::map<Key, std::size_t> classes;
    for (std::uint16_t kind = 0; kind < kinds.size(); ++kind) {
        const FrameKind& of = kinds[kind];
        RuleSetBits about = installed_about(of);
        const Key key{of.family(), of.has_ports(), of.is_resolution(), marks[kind], about};
        const auto [found, is_new] = classes.emplace(key, kind_classes.size());
        if (is_new) kind_classes.push_back({.kinds = {}, .written = marks[kind], .installed = std::move(about)});
        kind_classes[found->second].kinds.push_back(kind);
    }
}

}  // namespace bulkhead
