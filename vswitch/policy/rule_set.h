// SPDX-License-Identifier: Apache-2.0
// The rules of one segment, compiled: which is the first that matches a frame. Cost depends little on how many there
// are: every field is asked once for its class, and the classes' sets of rules are intersected, 64 rules at a time;
// where they are many, their summaries say which 64 these could be.
//
// Threads: built by control, then immutable; part of the snapshot.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/model/model.h"
#include "vswitch/policy/flow.h"
#include "vswitch/policy/flow_ends.h"
#include "vswitch/policy/rule_bits.h"
#include "vswitch/policy/stride_table.h"

namespace bulkhead {

struct alignas(8) CompiledRule {
    PolicyAction action = PolicyAction::allow;
    bool stateful = true;
    bool log = false;
    bool simply_allows = false;  ///< and nothing else is to be done
    RuleIndex index = kNoRule;   ///< of its counters
};

class RuleSet {
  public:
    /// `rules` in the order in which they are asked, all of one segment, whose groups have these classes; `counters`
    /// are the rules' own indices.
    RuleSet(const std::vector<const Policy*>& rules, const std::vector<RuleIndex>& counters,
            const std::map<std::string, GroupClass>& groups);

    static constexpr std::uint16_t kNone = 0xffff;

    /// The first rule, from `from` on, that matches; kNone if there is none. Says nothing about state. Of a flow whose
    /// role is `resolution` only rules that name it are asked.
    [[nodiscard]] std::uint16_t first_match(const Flow& flow, const FlowEnds& ends,
                                            std::uint16_t from = 0) const noexcept;

    /// What rules ask of the usual packet: IPv4, with TCP or UDP.
    struct Ipv4Packet {
        std::uint32_t source, destination;
        std::uint16_t source_port, destination_port;
        std::uint8_t protocol;
    };
    /// first_match() for one such packet after the other: what they have in common is not asked again. For the time of
    /// a burst, and of a set that has_usual_way() and whose rules fill no more than kWords words; kWords 0: any number.
    template <unsigned kWords>
    class Usual {
      public:
        explicit Usual(const RuleSet& rules) noexcept
            : rules_(rules),
              rows_(rules.classes_.row(0)),
              sources_(entries_of(rules.addresses_from_.ipv4)),
              destinations_(entries_of(rules.addresses_to_.ipv4)),
              source_ports_(entries_of(rules.source_ports_)),
              services_(entries_of(rules.services_)) {}
        /// The rule that the packet meets. Where none matches it is one that denies and is nobody's.
        [[nodiscard]] const CompiledRule& first_match(const Ipv4Packet& packet, GroupClass from,
                                                      GroupClass to) noexcept;

      private:
        using Words = std::array<std::uint64_t, kWords == 0 ? 1 : kWords>;
        template <typename Table>
        static const std::uint32_t* entries_of(const std::unique_ptr<Table>& table) noexcept {
            return table ? table->data() : nullptr;
        }
        void keep(Words& words, RuleClass rule_class) const noexcept {
            for (std::size_t at = 0; at < kWords; ++at) words[at] &= rows_[std::size_t{rule_class} + at];
        }
        /// Calls `keep` with the classes of what differs from packet to packet.
        template <typename Keep>
        void ask(const Ipv4Packet& packet, Keep keep) const noexcept {
            if (sources_ != nullptr) keep(Ipv4Table::find(sources_, packet.source));
            if (destinations_ != nullptr) keep(Ipv4Table::find(destinations_, packet.destination));
            if (source_ports_ != nullptr) keep(PortTable::find(source_ports_, packet.source_port));
            if (services_ != nullptr) keep(PortTable::find(services_, packet.destination_port));
        }
        [[nodiscard]] std::size_t first_of_many(const Ipv4Packet& packet, GroupClass from,
                                                GroupClass to) const noexcept;

        const RuleSet& rules_;
        const std::uint64_t* rows_;
        // Null: no rule asks.
        const std::uint32_t *sources_, *destinations_, *source_ports_, *services_;
        std::uint64_t ends_and_protocol_ = UINT64_MAX;
        Words common_{};
    };
    /// How many words the rules fill.
    [[nodiscard]] std::size_t words() const noexcept { return classes_.words(); }
    [[nodiscard]] bool has_usual_way() const noexcept { return size_ != 0 && !asks_macs(); }

    [[nodiscard]] const CompiledRule& operator[](std::uint16_t rule) const noexcept { return rules_[rule]; }
    /// The same of a number that may be none's; then not to be read.
    [[nodiscard]] const CompiledRule* find(std::uint16_t rule) const noexcept { return rules_.data() + rule; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool has_stateful() const noexcept { return has_stateful_; }
    /// Whether ARP or Neighbor Discovery must be asked about at all.
    [[nodiscard]] bool names_resolution() const noexcept { return names_resolution_; }
    [[nodiscard]] bool asks_macs() const noexcept { return macs_from_.is_asked || macs_to_.is_asked; }

  private:
    friend class RuleCells;  // tells what the tables tell apart
    struct Macs {
        bool is_asked = false;
        std::vector<std::pair<std::uint64_t, RuleClass>> classes;  ///< sorted by address
        RuleClass others = 0;
        [[nodiscard]] RuleClass find(std::uint64_t mac) const noexcept;
    };
    /// Addresses of one end, by family.
    struct Addresses {
        bool is_asked = false;
        std::unique_ptr<Ipv4Table> ipv4;
        struct Ipv6Piece {
            FlowAddress first;
            RuleClass rule_class;
        };
        std::vector<Ipv6Piece> ipv6;  ///< ascending, the first at ::
        RuleClass not_ip = 0;
        [[nodiscard]] RuleClass find(FlowFamily family, const FlowAddress& address) const noexcept;
    };

    void compile_groups(const std::vector<const Policy*>& rules, const std::map<std::string, GroupClass>& groups);
    void compile_kinds(const std::vector<const Policy*>& rules);
    void compile_ports(const std::vector<const Policy*>& rules);
    void compile_addresses(const std::vector<const Policy*>& rules, Addresses& addresses, bool is_source);
    void compile_macs(const std::vector<const Policy*>& rules, Macs& macs, bool is_source);
    [[nodiscard]] RuleClass kind_of(const Flow& flow) const noexcept;

    std::size_t size_;
    /// And, up to the next whole word, rules that deny and are nobody's: see Usual.
    std::vector<CompiledRule> rules_;
    RuleClasses classes_;
    std::vector<RuleClass> from_groups_, to_groups_;               ///< by GroupClass
    std::array<RuleClass, 256> ipv4_kinds_{}, ipv6_kinds_{};       ///< by protocol
    std::vector<std::pair<std::uint16_t, RuleClass>> ethertypes_;  ///< that rules name, sorted, with their classes
    RuleClass other_kind_ = 0;
    RuleClass arp_names_ = 0, nd_names_ = 0;  ///< the rules that name ARP, and Neighbor Discovery
    Addresses addresses_from_, addresses_to_;
    std::unique_ptr<PortTable> source_ports_, services_;  ///< null: no rule asks
    Macs macs_from_, macs_to_;
    bool has_stateful_ = false;
    bool names_resolution_ = false;
};

inline RuleClass RuleSet::Macs::find(std::uint64_t mac) const noexcept {
    const auto at = std::ranges::lower_bound(classes, mac, {}, &std::pair<std::uint64_t, RuleClass>::first);
    return at != classes.end() && at->first == mac ? at->second : others;
}

inline RuleClass RuleSet::Addresses::find(FlowFamily family, const FlowAddress& address) const noexcept {
    if (family == FlowFamily::ipv4) [[likely]]
        return ipv4->find(static_cast<std::uint32_t>(address[1]));
    if (family == FlowFamily::none) return not_ip;
    return std::prev(std::ranges::upper_bound(ipv6, address, {}, &Ipv6Piece::first))->rule_class;
}

inline RuleClass RuleSet::kind_of(const Flow& flow) const noexcept {
    if (flow.family == FlowFamily::ipv4) [[likely]]
        return ipv4_kinds_[flow.protocol];
    if (flow.family == FlowFamily::ipv6) return ipv6_kinds_[flow.protocol];
    for (const auto& [ethertype, kind] : ethertypes_)
        if (ethertype == flow.ethertype) return kind;
    return other_kind_;
}

template <unsigned kWords>
const CompiledRule& RuleSet::Usual<kWords>::first_match(const Ipv4Packet& packet, GroupClass from,
                                                        GroupClass to) noexcept {
    if constexpr (kWords == 0) return rules_.rules_[first_of_many(packet, from, to)];
    const std::uint64_t ends_and_protocol =
        static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint64_t>(to) << 16 | packet.protocol;
    if (ends_and_protocol_ != ends_and_protocol) [[unlikely]] {
        ends_and_protocol_ = ends_and_protocol;
        common_.fill(~0ULL);
        keep(common_, rules_.ipv4_kinds_[packet.protocol]);
        keep(common_, rules_.from_groups_[from]);
        keep(common_, rules_.to_groups_[to]);
    }
    Words left = common_;
    ask(packet, [&](RuleClass rule_class) { keep(left, rule_class); });
    // Which word it is in is nothing a CPU could predict: no branch asks. Of no bits, 64 are zero.
    std::size_t first = kWords * kRulesPerWord;
    for (std::size_t at = kWords; at-- > 0;) {
        const auto here = static_cast<std::size_t>(std::countr_zero(left[at]));
        first = here < kRulesPerWord ? kRulesPerWord * at + here : first;
    }
    return rules_.rules_.data()[first];
}

template <unsigned kWords>
std::size_t RuleSet::Usual<kWords>::first_of_many(const Ipv4Packet& packet, GroupClass from,
                                                  GroupClass to) const noexcept {
    std::array<const std::uint64_t*, 7> rows{rows_ + rules_.ipv4_kinds_[packet.protocol],
                                             rows_ + rules_.from_groups_[from], rows_ + rules_.to_groups_[to]};
    std::size_t count = 3;
    ask(packet, [&](RuleClass rule_class) { rows[count++] = rows_ + rule_class; });
    return std::min(first_common({rows.data(), count}), rules_.size_);
}

}  // namespace bulkhead
