// SPDX-License-Identifier: Apache-2.0
// What compiled rules can tell apart: each field's values, cut where the rules that they satisfy change, read from the
// very tables that workers ask. For who must know that nothing lies between two values that were asked about.
//
// Threads: any; the rules outlive it and what it returns.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "vswitch/policy/rule_set.h"

namespace bulkhead {

/// An address or a port; an IPv4 address is its 32 bits.
__extension__ using FieldValue = unsigned __int128;

class RuleCells {
  public:
    explicit RuleCells(const RuleSet& rules) : rules_(rules) {}

    /// All values from `first` up to that of the next piece satisfy `rules`, a whole set, word for word.
    struct Piece {
        FieldValue first;
        const std::uint64_t* rules;
    };
    /// In ascending order, the first at 0; none: no rule asks.
    [[nodiscard]] std::vector<Piece> addresses(FlowFamily family, bool is_source) const;
    [[nodiscard]] std::vector<Piece> source_ports() const;
    [[nodiscard]] std::vector<Piece> services() const;

    struct Macs {
        std::vector<std::pair<std::uint64_t, const std::uint64_t*>> named;
        const std::uint64_t* others = nullptr;  ///< null: no rule asks
    };
    [[nodiscard]] Macs macs(bool is_source) const;

    [[nodiscard]] std::vector<std::uint16_t> ethertypes() const;  ///< that rules name

    /// The rules that may be about frames from one group to another.
    [[nodiscard]] RuleSetBits between(GroupClass from, GroupClass to) const;
    /// The rules that may be about frames of a kind: of its EtherType, its protocol and, of ICMP, its type.
    [[nodiscard]] RuleSetBits about(const Flow& kind) const;

  private:
    [[nodiscard]] std::vector<Piece> pieces_of(const std::vector<bulkhead::Piece<std::uint64_t>>& pieces) const;

    const RuleSet& rules_;
};

}  // namespace bulkhead
