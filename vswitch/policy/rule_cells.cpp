// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/rule_cells.h"

#include "vswitch/packet/ip.h"

namespace bulkhead {

std::vector<RuleCells::Piece> RuleCells::pieces_of(const std::vector<bulkhead::Piece<std::uint64_t>>& pieces) const {
    std::vector<Piece> cells;
    cells.reserve(pieces.size());
    for (const auto& piece : pieces) cells.push_back({piece.first, rules_.classes_.row(piece.rule_class)});
    return cells;
}

std::vector<RuleCells::Piece> RuleCells::addresses(FlowFamily family, bool is_source) const {
    const RuleSet::Addresses& addresses = is_source ? rules_.addresses_from_ : rules_.addresses_to_;
    if (!addresses.is_asked) return {};
    if (family == FlowFamily::ipv4) return pieces_of(addresses.ipv4->pieces());
    std::vector<Piece> cells;
    for (const RuleSet::Addresses::Ipv6Piece& piece : addresses.ipv6)
        cells.push_back(
            {static_cast<FieldValue>(piece.first[0]) << 64 | piece.first[1], rules_.classes_.row(piece.rule_class)});
    return cells;
}

std::vector<RuleCells::Piece> RuleCells::source_ports() const {
    return rules_.source_ports_ ? pieces_of(rules_.source_ports_->pieces()) : std::vector<Piece>();
}

std::vector<RuleCells::Piece> RuleCells::services() const {
    return rules_.services_ ? pieces_of(rules_.services_->pieces()) : std::vector<Piece>();
}

RuleCells::Macs RuleCells::macs(bool is_source) const {
    const RuleSet::Macs& macs = is_source ? rules_.macs_from_ : rules_.macs_to_;
    Macs cells;
    if (!macs.is_asked) return cells;
    for (const auto& [mac, rule_class] : macs.classes) cells.named.emplace_back(mac, rules_.classes_.row(rule_class));
    cells.others = rules_.classes_.row(macs.others);
    return cells;
}

std::vector<std::uint16_t> RuleCells::ethertypes() const {
    std::vector<std::uint16_t> named;
    for (const auto& [ethertype, kind] : rules_.ethertypes_) named.push_back(ethertype);
    return named;
}

RuleSetBits RuleCells::between(GroupClass from, GroupClass to) const {
    RuleSetBits both = rules_.classes_.none();
    for (std::size_t word = 0; word < both.size(); ++word) {
        both[word] = rules_.classes_.row(rules_.from_groups_[from])[word];
        both[word] &= rules_.classes_.row(rules_.to_groups_[to])[word];
    }
    return both;
}

RuleSetBits RuleCells::about(const Flow& kind) const {
    RuleSetBits left = rules_.classes_.none();
    const std::uint64_t* const of_kind = rules_.classes_.row(rules_.kind_of(kind));
    left.assign(of_kind, of_kind + left.size());
    const auto keep = [&](RuleClass rule_class) {
        for (std::size_t word = 0; word < left.size(); ++word) left[word] &= rules_.classes_.row(rule_class)[word];
    };
    const bool is_ip = kind.family != FlowFamily::none;
    if (kind.role == FlowRole::resolution) keep(is_ip ? rules_.nd_names_ : rules_.arp_names_);
    if (!is_ip && rules_.addresses_from_.is_asked) keep(rules_.addresses_from_.not_ip);
    if (!is_ip && rules_.addresses_to_.is_asked) keep(rules_.addresses_to_.not_ip);
    const bool is_icmp = (kind.family == FlowFamily::ipv4 && kind.protocol == kProtocolIcmp) ||
                         (kind.family == FlowFamily::ipv6 && kind.protocol == kProtocolIcmpv6);
    if (is_icmp && rules_.services_) keep(rules_.services_->find(kind.service));
    return left;
}

}  // namespace bulkhead
