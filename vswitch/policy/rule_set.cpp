// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/rule_set.h"

#include <algorithm>
#include <array>
#include <set>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

static_assert(kMaxRulesOfSegment <= RuleClasses::kMostRules);

__extension__ using Uint128 = unsigned __int128;

Uint128 number_of(const IpAddress& address) {
    Uint128 number = 0;
    for (const std::uint8_t octet : address.octets()) number = number << 8 | octet;
    return number;
}

bool asks_ip(const Policy& rule) {
    return rule.protocol || !rule.from.ips.empty() || !rule.to.ips.empty();
}

/// Whether the rule can be about frames of an EtherType (and, if it is IP, a protocol).
bool takes_kind(const Policy& rule, std::uint16_t ethertype, std::optional<std::uint8_t> protocol) {
    if (rule.ethertype && *rule.ethertype != ethertype) return false;
    if (!protocol) return !asks_ip(rule);
    return !rule.protocol || *rule.protocol == *protocol;
}

bool names_arp(const Policy& rule) {
    return rule.ethertype == kEtherTypeArp;
}

bool names_neighbor_discovery(const Policy& rule) {
    return rule.protocol == kProtocolIcmpv6 && std::ranges::any_of(rule.icmp_types, [](std::uint8_t type) {
               return type >= kIcmpv6RouterSolicitation && type <= kIcmpv6Redirect;
           });
}

template <typename Predicate>
RuleSetBits bits_of(RuleClasses& classes, const std::vector<const Policy*>& rules, Predicate is_in) {
    RuleSetBits bits = classes.none();
    for (std::size_t at = 0; at < rules.size(); ++at)
        if (is_in(*rules[at])) set_rule(bits, at);
    return bits;
}

}  // namespace

RuleSet::RuleSet(const std::vector<const Policy*>& rules, const std::vector<RuleIndex>& counters,
                 const std::map<std::string, GroupClass>& groups)
    : size_(rules.size()), classes_(rules.size()) {
    for (std::size_t at = 0; at < rules.size(); ++at) {
        const Policy* const rule = rules[at];
        rules_.push_back({.action = rule->action,
                          .stateful = rule->stateful,
                          .log = rule->log,
                          .simply_allows = rule->action == PolicyAction::allow && !rule->log,
                          .index = counters[at]});
        const bool lets_pass = rule->action == PolicyAction::allow || rule->action == PolicyAction::redirect;
        has_stateful_ |= rule->stateful && lets_pass;
        names_resolution_ |= names_arp(*rule) || names_neighbor_discovery(*rule);
    }
    rules_.resize(kRulesPerWord * classes_.words() + 1, {.action = PolicyAction::deny});
    compile_groups(rules, groups);
    compile_kinds(rules);
    compile_ports(rules);
    compile_addresses(rules, addresses_from_, true);
    compile_addresses(rules, addresses_to_, false);
    compile_macs(rules, macs_from_, true);
    compile_macs(rules, macs_to_, false);
    classes_.seal();
}

void RuleSet::compile_groups(const std::vector<const Policy*>& rules, const std::map<std::string, GroupClass>& groups) {
    const std::size_t classes = kUnknownGroup + 1 + groups.size();
    std::vector<RuleSetBits> from(classes, classes_.none()), to(classes, classes_.none());
    for (std::size_t at = 0; at < rules.size(); ++at) {
        const Policy& rule = *rules[at];
        const auto mark = [&](std::vector<RuleSetBits>& sets, const std::vector<std::string>& names) {
            if (names.empty()) {
                for (RuleSetBits& set : sets) set_rule(set, at);
                return;
            }
            for (const std::string& name : names) set_rule(sets[groups.at(name)], at);
        };
        mark(from, rule.from.groups);
        mark(to, rule.to.groups);
        if (rule.action == PolicyAction::allow || rule.action == PolicyAction::redirect)
            set_rule(to[kUnknownGroup], at);
    }
    for (const RuleSetBits& set : from) from_groups_.push_back(classes_.intern(set));
    for (const RuleSetBits& set : to) to_groups_.push_back(classes_.intern(set));
}

void RuleSet::compile_kinds(const std::vector<const Policy*>& rules) {
    const auto kind = [&](std::uint16_t ethertype, std::optional<std::uint8_t> protocol) {
        return classes_.intern(
            bits_of(classes_, rules, [&](const Policy& rule) { return takes_kind(rule, ethertype, protocol); }));
    };
    for (unsigned protocol = 0; protocol < ipv4_kinds_.size(); ++protocol) {
        ipv4_kinds_[protocol] = kind(kEtherTypeIpv4, static_cast<std::uint8_t>(protocol));
        ipv6_kinds_[protocol] = kind(kEtherTypeIpv6, static_cast<std::uint8_t>(protocol));
    }
    std::set<std::uint16_t> named;
    for (const Policy* rule : rules)
        if (rule->ethertype) named.insert(*rule->ethertype);
    for (const std::uint16_t ethertype : named) ethertypes_.emplace_back(ethertype, kind(ethertype, std::nullopt));
    other_kind_ =
        classes_.intern(bits_of(classes_, rules, [](const Policy& rule) { return !rule.ethertype && !asks_ip(rule); }));
    arp_names_ = classes_.intern(bits_of(classes_, rules, names_arp));
    nd_names_ = classes_.intern(bits_of(classes_, rules, names_neighbor_discovery));
}

void RuleSet::compile_ports(const std::vector<const Policy*>& rules) {
    constexpr std::uint64_t kGreatest = 0xffff;
    std::vector<RuleRange<std::uint64_t>> sources, services;
    for (std::size_t at = 0; at < rules.size(); ++at) {
        for (const PortRange& range : rules[at]->src_ports) sources.push_back({range.first, range.last, at});
        for (const PortRange& range : rules[at]->dst_ports) services.push_back({range.first, range.last, at});
        for (const std::uint8_t type : rules[at]->icmp_types) services.push_back({type, type, at});
    }
    const auto trie = [&](const std::vector<RuleRange<std::uint64_t>>& ranges, auto is_indifferent) {
        if (ranges.empty()) return std::unique_ptr<PortTable>();
        const RuleSetBits indifferent = bits_of(classes_, rules, is_indifferent);
        return std::make_unique<PortTable>(cut<std::uint64_t>(ranges, indifferent, kGreatest, classes_));
    };
    source_ports_ = trie(sources, [](const Policy& rule) { return rule.src_ports.empty(); });
    services_ = trie(services, [](const Policy& rule) { return rule.dst_ports.empty() && rule.icmp_types.empty(); });
}

void RuleSet::compile_addresses(const std::vector<const Policy*>& rules, Addresses& addresses, bool is_source) {
    constexpr Uint128 kGreatestIpv6 = ~Uint128{0};
    constexpr std::uint64_t kGreatestIpv4 = 0xffff'ffff;
    const auto ips_of = [is_source](const Policy& rule) -> const std::vector<IpPrefix>& {
        return is_source ? rule.from.ips : rule.to.ips;
    };
    const RuleSetBits indifferent = bits_of(classes_, rules, [&](const Policy& rule) { return ips_of(rule).empty(); });
    std::vector<RuleRange<std::uint64_t>> ipv4;
    std::vector<RuleRange<Uint128>> ipv6;
    for (std::size_t at = 0; at < rules.size(); ++at) {
        for (const IpPrefix& prefix : ips_of(*rules[at])) {
            addresses.is_asked = true;
            if (prefix.address.is_v4()) {
                const std::uint64_t host = kGreatestIpv4 >> prefix.length, first = prefix.address.v4_value() & ~host;
                ipv4.push_back({first, first | host, at});
            } else {
                const Uint128 host = prefix.length == 128 ? 0 : kGreatestIpv6 >> prefix.length;
                const Uint128 first = number_of(prefix.address) & ~host;
                ipv6.push_back({first, first | host, at});
            }
        }
    }
    if (!addresses.is_asked) return;
    addresses.not_ip = classes_.intern(indifferent);
    addresses.ipv4 = std::make_unique<Ipv4Table>(cut<std::uint64_t>(ipv4, indifferent, kGreatestIpv4, classes_));
    for (const Piece<Uint128>& piece : cut<Uint128>(ipv6, indifferent, kGreatestIpv6, classes_))
        addresses.ipv6.push_back(
            {{static_cast<std::uint64_t>(piece.first >> 64), static_cast<std::uint64_t>(piece.first)},
             piece.rule_class});
}

void RuleSet::compile_macs(const std::vector<const Policy*>& rules, Macs& macs, bool is_source) {
    const auto macs_of = [is_source](const Policy& rule) -> const std::vector<MacAddress>& {
        return is_source ? rule.from.macs : rule.to.macs;
    };
    std::set<std::uint64_t> named;
    for (const Policy* rule : rules)
        for (const MacAddress& mac : macs_of(*rule)) named.insert(mac.value());
    if (named.empty()) return;
    macs.is_asked = true;
    macs.others = classes_.intern(bits_of(classes_, rules, [&](const Policy& rule) { return macs_of(rule).empty(); }));
    for (const std::uint64_t mac : named) {
        macs.classes.emplace_back(mac, classes_.intern(bits_of(classes_, rules, [&](const Policy& rule) {
            const auto& list = macs_of(rule);
            return list.empty() || std::ranges::find(list, MacAddress(mac)) != list.end();
        })));
    }
}

std::uint16_t RuleSet::first_match(const Flow& flow, const FlowEnds& ends, std::uint16_t from) const noexcept {
    if (from >= size_) return kNone;
    std::array<const std::uint64_t*, 10> rows;
    std::size_t count = 0;
    const auto keep = [&](RuleClass rule_class) { rows[count++] = classes_.row(rule_class); };
    keep(kind_of(flow));
    keep(from_groups_[ends.from]);
    keep(to_groups_[ends.to]);
    if (flow.role == FlowRole::resolution) keep(flow.family == FlowFamily::none ? arp_names_ : nd_names_);
    if (addresses_from_.is_asked) keep(addresses_from_.find(flow.family, flow.source));
    if (addresses_to_.is_asked) keep(addresses_to_.find(flow.family, flow.destination));
    if (source_ports_) keep(source_ports_->find(flow.source_port));
    if (services_) keep(services_->find(flow.service));
    if (macs_from_.is_asked) keep(macs_from_.find(ends.source_mac));
    if (macs_to_.is_asked) keep(macs_to_.find(ends.destination_mac));
    const std::size_t first = first_common({rows.data(), count}, from);
    return first == RuleClasses::kNone ? kNone : static_cast<std::uint16_t>(first);
}

}  // namespace bulkhead
