// SPDX-License-Identifier: Apache-2.0
// The values of a field, cut where the rules that they satisfy change.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vswitch/policy/rule_bits.h"

namespace bulkhead {

/// A rule is satisfied by the values from `first` to `last`, both included. It may have several.
template <typename Value>
struct RuleRange {
    Value first, last;
    std::size_t rule;
};

/// All values from `first` up to that of the next piece are of one class.
template <typename Value>
struct Piece {
    Value first;
    RuleClass rule_class;
};

/// In ascending order, the first at 0. `indifferent` are the rules that every value satisfies.
template <typename Value>
std::vector<Piece<Value>> cut(const std::vector<RuleRange<Value>>& ranges, const RuleSetBits& indifferent,
                              Value greatest, RuleClasses& classes) {
    struct Edge {
        Value at;
        std::size_t rule;
        int change;
    };
    std::vector<Edge> edges;
    for (const RuleRange<Value>& range : ranges) {
        edges.push_back({range.first, range.rule, 1});
        if (range.last != greatest) edges.push_back({static_cast<Value>(range.last + 1), range.rule, -1});
    }
    std::ranges::sort(edges, {}, &Edge::at);

    // A rule's ranges may overlap.
    std::vector<int> times(indifferent.size() * kRulesPerWord, 0);
    RuleSetBits satisfied = indifferent;
    std::vector<Piece<Value>> pieces;
    if (edges.empty() || edges.front().at != 0) pieces.push_back({0, classes.intern(satisfied)});
    for (auto edge = edges.begin(); edge != edges.end();) {
        const Value at = edge->at;
        for (; edge != edges.end() && edge->at == at; ++edge) {
            times[edge->rule] += edge->change;
            if (times[edge->rule] > 0)
                set_rule(satisfied, edge->rule);
            else
                clear_rule(satisfied, edge->rule);
        }
        const RuleClass rule_class = classes.intern(satisfied);
        if (pieces.empty() || pieces.back().rule_class != rule_class) pieces.push_back({at, rule_class});
    }
    return pieces;
}

}  // namespace bulkhead
