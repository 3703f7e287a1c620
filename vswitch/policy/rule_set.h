// SPDX-License-Identifier: Apache-2.0
// The rules of one segment, compiled: which is the first that matches a frame. Cost depends little on how many there
// are: every field is asked once for its class, and the classes' sets of rules are intersected, 256 rules at a time.
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

struct CompiledRule {
    PolicyAction action = PolicyAction::allow;
    bool stateful = true;
    bool log = false;
    RuleIndex index = kNoRule;  ///< of its counters
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
    /// a burst, and of a set that has_usual_way() and no more than kWords times 64 rules; kWords 0: any number.
    template <unsigned kWords>
    class Usual {
      public:
        explicit Usual(const RuleSet& rules) noexcept
            : rules_(rules),
              sources_(rules.addresses_from_.ipv4.get()),
              destinations_(rules.addresses_to_.ipv4.get()),
              source_ports_(rules.source_ports_.get()),
              services_(rules.services_.get()) {}
        [[nodiscard]] std::uint16_t first_match(const Ipv4Packet& packet, GroupClass from, GroupClass to) noexcept;

      private:
        using Words = std::array<std::uint64_t, kWords == 0 ? 1 : kWords>;
        void keep(Words& words, std::uint16_t rule_class) const noexcept {
            const RuleBits& set = rules_.classes_.only(rule_class);
            for (unsigned at = 0; at < kWords; ++at) words[at] &= set.words[at];
        }
        /// Calls `keep` with the classes of what differs from packet to packet.
        template <typename Keep>
        void ask(const Ipv4Packet& packet, Keep keep) const noexcept {
            if (sources_ != nullptr) keep(sources_->find(packet.source));
            if (destinations_ != nullptr) keep(destinations_->find(packet.destination));
            if (source_ports_ != nullptr) keep(source_ports_->find(packet.source_port));
            if (services_ != nullptr) keep(services_->find(packet.destination_port));
        }
        [[nodiscard]] std::uint16_t first_of_many(const Ipv4Packet& packet, GroupClass from,
                                                  GroupClass to) const noexcept;

        const RuleSet& rules_;
        // Null: no rule asks.
        const Ipv4Table *sources_, *destinations_;
        const PortTable *source_ports_, *services_;
        std::uint64_t ends_and_protocol_ = UINT64_MAX;
        Words common_{};
    };
    [[nodiscard]] bool has_usual_way() const noexcept { return !rules_.empty() && !asks_macs(); }

    [[nodiscard]] const CompiledRule& operator[](std::uint16_t rule) const noexcept { return rules_[rule]; }
    /// The same of a number that may be none's; then not to be read.
    [[nodiscard]] const CompiledRule* find(std::uint16_t rule) const noexcept { return rules_.data() + rule; }
    [[nodiscard]] std::size_t size() const noexcept { return rules_.size(); }
    [[nodiscard]] bool has_stateful() const noexcept { return has_stateful_; }
    /// Whether ARP or Neighbor Discovery must be asked about at all.
    [[nodiscard]] bool names_resolution() const noexcept { return names_resolution_; }
    [[nodiscard]] bool asks_macs() const noexcept { return macs_from_.is_asked || macs_to_.is_asked; }

  private:
    struct Macs {
        bool is_asked = false;
        std::vector<std::pair<std::uint64_t, std::uint16_t>> classes;  ///< sorted by address
        std::uint16_t others = 0;
        [[nodiscard]] std::uint16_t find(std::uint64_t mac) const noexcept;
    };
    /// Addresses of one end, by family.
    struct Addresses {
        bool is_asked = false;
        std::unique_ptr<Ipv4Table> ipv4;
        struct Ipv6Piece {
            FlowAddress first;
            std::uint16_t rule_class;
        };
        std::vector<Ipv6Piece> ipv6;  ///< ascending, the first at ::
        std::uint16_t not_ip = 0;
        [[nodiscard]] std::uint16_t find(FlowFamily family, const FlowAddress& address) const noexcept;
    };

    void compile_groups(const std::vector<const Policy*>& rules, const std::map<std::string, GroupClass>& groups);
    void compile_kinds(const std::vector<const Policy*>& rules);
    void compile_ports(const std::vector<const Policy*>& rules);
    void compile_addresses(const std::vector<const Policy*>& rules, Addresses& addresses, bool is_source);
    void compile_macs(const std::vector<const Policy*>& rules, Macs& macs, bool is_source);
    [[nodiscard]] std::uint16_t kind_of(const Flow& flow) const noexcept;
    /// Leaves those rules of a block that what differs from frame to frame satisfies.
    void intersect(RuleBits& common, const Flow& flow, const FlowEnds& ends, std::size_t block) const noexcept;

    std::vector<CompiledRule> rules_;
    RuleClasses classes_;
    std::vector<std::uint16_t> from_groups_, to_groups_;               ///< by GroupClass
    std::array<std::uint16_t, 256> ipv4_kinds_{}, ipv6_kinds_{};       ///< by protocol
    std::vector<std::pair<std::uint16_t, std::uint16_t>> ethertypes_;  ///< that rules name, sorted, with their classes
    std::uint16_t other_kind_ = 0;
    std::uint16_t arp_names_ = 0, nd_names_ = 0;  ///< the rules that name ARP, and Neighbor Discovery
    Addresses addresses_from_, addresses_to_;
    std::unique_ptr<PortTable> source_ports_, services_;  ///< null: no rule asks
    Macs macs_from_, macs_to_;
    bool has_stateful_ = false;
    bool names_resolution_ = false;
};

inline std::uint16_t RuleSet::Macs::find(std::uint64_t mac) const noexcept {
    const auto at = std::ranges::lower_bound(classes, mac, {}, &std::pair<std::uint64_t, std::uint16_t>::first);
    return at != classes.end() && at->first == mac ? at->second : others;
}

inline std::uint16_t RuleSet::Addresses::find(FlowFamily family, const FlowAddress& address) const noexcept {
    if (family == FlowFamily::ipv4) [[likely]]
        return ipv4->find(static_cast<std::uint32_t>(address[1]));
    if (family == FlowFamily::none) return not_ip;
    return std::prev(std::ranges::upper_bound(ipv6, address, {}, &Ipv6Piece::first))->rule_class;
}

inline std::uint16_t RuleSet::kind_of(const Flow& flow) const noexcept {
    if (flow.family == FlowFamily::ipv4) [[likely]]
        return ipv4_kinds_[flow.protocol];
    if (flow.family == FlowFamily::ipv6) return ipv6_kinds_[flow.protocol];
    for (const auto& [ethertype, kind] : ethertypes_)
        if (ethertype == flow.ethertype) return kind;
    return other_kind_;
}

inline void RuleSet::intersect(RuleBits& common, const Flow& flow, const FlowEnds& ends,
                               std::size_t block) const noexcept {
    const auto keep = [&](std::uint16_t rule_class) { common &= classes_.of(rule_class)[block]; };
    if (addresses_from_.is_asked) keep(addresses_from_.find(flow.family, flow.source));
    if (addresses_to_.is_asked) keep(addresses_to_.find(flow.family, flow.destination));
    if (source_ports_) keep(source_ports_->find(flow.source_port));
    if (services_) keep(services_->find(flow.service));
    if (macs_from_.is_asked) keep(macs_from_.find(ends.source_mac));
    if (macs_to_.is_asked) keep(macs_to_.find(ends.destination_mac));
}

template <unsigned kWords>
std::uint16_t RuleSet::Usual<kWords>::first_match(const Ipv4Packet& packet, GroupClass from, GroupClass to) noexcept {
    if constexpr (kWords == 0) return first_of_many(packet, from, to);
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
    ask(packet, [&](std::uint16_t rule_class) { keep(left, rule_class); });
    // Which word it is in is nothing a CPU could predict: no branch asks.
    unsigned first = kNone;
    for (unsigned at = kWords; at-- > 0;)
        first = left[at] != 0 ? 64 * at + static_cast<unsigned>(std::countr_zero(left[at])) : first;
    return static_cast<std::uint16_t>(first);
}

template <unsigned kWords>
std::uint16_t RuleSet::Usual<kWords>::first_of_many(const Ipv4Packet& packet, GroupClass from,
                                                    GroupClass to) const noexcept {
    const RuleClasses& classes = rules_.classes_;
    std::array<const RuleBits*, 7> sets{classes.of(rules_.ipv4_kinds_[packet.protocol]),
                                        classes.of(rules_.from_groups_[from]), classes.of(rules_.to_groups_[to])};
    std::size_t count = 3;
    ask(packet, [&](std::uint16_t rule_class) { sets[count++] = classes.of(rule_class); });
    for (std::size_t block = 0; block < classes.blocks(); ++block) {
        RuleBits left = sets[0][block];
        for (std::size_t at = 1; at < count; ++at) left &= sets[at][block];
        if (const unsigned first = left.first(); first < RuleBits::kRules)
            return static_cast<std::uint16_t>(block * RuleBits::kRules + first);
    }
    return kNone;
}

}  // namespace bulkhead
