// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/rule_steps.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/policy/flow_address.h"

namespace bulkhead {
namespace {

std::string not_among(const std::string& field, const std::string& value) {
    return field + ": " + value + " is not among them";
}

/// Why one end of a rule does not match; empty: it does.
std::string mismatch_of_end(const PolicyEnd& end, const std::string& name, const std::string& group, FlowFamily family,
                            const FlowAddress& words, std::uint64_t mac) {
    if (!end.groups.empty() && std::ranges::find(end.groups, group) == end.groups.end())
        return not_among(name + ".groups", group.empty() ? "no group" : group);
    if (!end.ips.empty()) {
        if (family == FlowFamily::none) return name + ".ips: the frame is not IP";
        const IpAddress address = ip_address(family, words);
        if (std::ranges::none_of(end.ips, [&](const IpPrefix& ip) { return ip.contains(address); }))
            return not_among(name + ".ips", address.to_string());
    }
    if (!end.macs.empty() && std::ranges::find(end.macs, MacAddress(mac)) == end.macs.end())
        return not_among(name + ".macs", MacAddress(mac).to_string());
    return {};
}

bool holds(const std::vector<PortRange>& ranges, std::uint16_t port) {
    return std::ranges::any_of(ranges,
                               [port](const PortRange& range) { return range.first <= port && port <= range.last; });
}

std::string mismatch_of_packet(const Policy& rule, const Flow& flow) {
    if (rule.ethertype && *rule.ethertype != flow.ethertype) {
        char text[40];
        std::snprintf(text, sizeof text, "ethertype: the frame's is 0x%04x", flow.ethertype);
        return text;
    }
    if (rule.protocol && flow.family == FlowFamily::none) return "protocol: the frame is not IP";
    if (rule.protocol && *rule.protocol != flow.protocol)
        return "protocol: the packet's is " + std::to_string(flow.protocol);
    if (!rule.src_ports.empty() && !holds(rule.src_ports, flow.source_port))
        return not_among("src_ports", std::to_string(flow.source_port));
    if (!rule.dst_ports.empty() && !holds(rule.dst_ports, flow.service))
        return not_among("dst_ports", std::to_string(flow.service));
    if (!rule.icmp_types.empty() && std::ranges::find(rule.icmp_types, flow.service) == rule.icmp_types.end())
        return not_among("icmp_types", std::to_string(flow.service));
    return {};
}

bool names_resolution(const Policy& rule, FlowFamily family) {
    if (family == FlowFamily::none) return rule.ethertype == kArpEthertype;
    return rule.protocol == kProtocolIcmpv6 && std::ranges::any_of(rule.icmp_types, [](std::uint8_t type) {
               return type >= kIcmpv6RouterSolicitation && type <= kIcmpv6Redirect;
           });
}

std::string mismatch(const Policy& rule, const RuleQuestion& question) {
    const Flow& flow = question.flow;
    if (flow.role == FlowRole::resolution && !names_resolution(rule, flow.family))
        return "only rules that name ARP or Neighbor Discovery are asked about it";
    std::string why =
        mismatch_of_end(rule.from, "from", question.from_group, flow.family, flow.source, question.source_mac);
    if (why.empty())
        why =
            mismatch_of_end(rule.to, "to", question.to_group, flow.family, flow.destination, question.destination_mac);
    return why.empty() ? mismatch_of_packet(rule, flow) : why;
}

/// Why a rule that matches does not decide; empty: it does.
std::string passed_by(const Policy& rule, const Flow& flow) {
    if (rule.action == PolicyAction::mirror) return "it mirrors, and the next rule is asked";
    const bool opens_none =
        flow.role == FlowRole::follower || flow.role == FlowRole::error || flow.role == FlowRole::untracked;
    if (rule.action != PolicyAction::deny && rule.stateful && opens_none)
        return "it is stateful, and the frame does not open a connection";
    return {};
}

}  // namespace

RuleAnswer ask_rules(const std::vector<const Policy*>& rules, DefaultPolicy otherwise, const RuleQuestion& question) {
    RuleAnswer answer{.steps = {}, .passes = otherwise == DefaultPolicy::allow};
    const FlowRole role = question.flow.role;
    // Rules that mirror decide nothing: where there are no others, and the default is to allow, nothing is judged.
    const bool mirrors_at_most =
        std::ranges::all_of(rules, [](const Policy* rule) { return rule->action == PolicyAction::mirror; });
    if (mirrors_at_most && answer.passes) return answer;
    if (role == FlowRole::unreadable || role == FlowRole::torn) {
        answer.ground = Ground::headers;
        answer.passes = false;
        return answer;
    }
    for (const Policy* const rule : rules) {
        RuleStep step{.rule = rule, .why = mismatch(*rule, question)};
        step.matches = step.why.empty();
        if (step.matches) step.why = passed_by(*rule, question.flow);
        const bool decides = step.matches && step.why.empty();
        answer.steps.push_back(std::move(step));
        if (!decides) continue;
        answer.rule = rule;
        answer.ground = Ground::rule;
        answer.passes = rule->action != PolicyAction::deny;
        return answer;
    }
    if (role == FlowRole::resolution) {
        answer.ground = Ground::resolution;
        answer.passes = true;
    }
    return answer;
}

}  // namespace bulkhead
