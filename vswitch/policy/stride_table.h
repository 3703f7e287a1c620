// SPDX-License-Identifier: Apache-2.0
// Which class a number is of, found in a fixed number of steps, some of its bits a step: IPv4 addresses in three, ports
// in two. No step depends on what the one before it found but for where it reads.
//
// Threads: built by control, then immutable.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vswitch/policy/value_ranges.h"

namespace bulkhead {

template <unsigned... kStrides>
class StrideTable {
  public:
    explicit StrideTable(const std::vector<Piece<std::uint64_t>>& pieces) {
        build(pieces, 0, 0);
        uniform_.clear();
        entries_.shrink_to_fit();
    }

    [[nodiscard]] RuleClass find(std::uint32_t value) const noexcept { return find(entries_.data(), value); }
    /// The same by what data() gave.
    [[nodiscard]] static RuleClass find(const std::uint32_t* entries, std::uint32_t value) noexcept {
        std::uint32_t entry = 0;
        [&]<std::size_t... kSteps>(std::index_sequence<kSteps...>) {
            ((entry = entries[entry + (value >> kShifts[kSteps] & ((1U << kBits[kSteps]) - 1))]), ...);
        }(std::make_index_sequence<kDepth>());
        return entry;
    }
    [[nodiscard]] const std::uint32_t* data() const noexcept { return entries_.data(); }

    /// The values from 0 on, as the table stands, cut where the class changes.
    [[nodiscard]] std::vector<Piece<std::uint64_t>> pieces() const {
        std::vector<Piece<std::uint64_t>> found;
        Uniform uniform;
        walk(0, 0, 0, uniform, found);
        return found;
    }

  private:
    static constexpr std::size_t kDepth = sizeof...(kStrides);
    static constexpr std::array<unsigned, kDepth> kBits{kStrides...};
    /// By step: how many bits come behind those that it looks at.
    static constexpr std::array<unsigned, kDepth> kShifts = [] {
        std::array<unsigned, kDepth> shifts{};
        for (std::size_t step = kDepth - 1; step > 0; --step) shifts[step - 1] = shifts[step] + kBits[step];
        return shifts;
    }();

    /// A node of a step for the values from `base` on; returns where it begins. Those all of whose values are of one
    /// class are one node for all.
    std::uint32_t build(const std::vector<Piece<std::uint64_t>>& pieces, std::size_t step, std::uint64_t base) {
        const std::uint64_t span = 1ULL << kBits[step] << kShifts[step];
        if (const auto known = uniform_.find({step, class_at(pieces, base)});
            is_one(pieces, base, span) && known != uniform_.end())
            return known->second;
        const auto node = static_cast<std::uint32_t>(entries_.size());
        entries_.resize(node + (1UL << kBits[step]));
        if (is_one(pieces, base, span)) uniform_[{step, class_at(pieces, base)}] = node;
        for (std::uint64_t at = 0; at < 1UL << kBits[step]; ++at) {
            const std::uint64_t first = base + (at << kShifts[step]);
            const std::uint32_t entry = step + 1 == kDepth ? class_at(pieces, first) : build(pieces, step + 1, first);
            entries_[node + at] = entry;
        }
        return node;
    }
    /// By (step, node): the one class of all its values; nothing if they are of several.
    using Uniform = std::map<std::pair<std::size_t, std::uint32_t>, std::optional<RuleClass>>;

    [[nodiscard]] std::optional<RuleClass> uniform_class(std::size_t step, std::uint32_t node, Uniform& known) const {
        if (const auto seen = known.find({step, node}); seen != known.end()) return seen->second;
        std::optional<RuleClass> one;
        for (std::uint32_t at = 0; at < 1U << kBits[step]; ++at) {
            const std::uint32_t entry = entries_[node + at];
            const auto next = step + 1 == kDepth ? std::optional(entry) : uniform_class(step + 1, entry, known);
            if (at == 0) one = next;
            if (!next || next != one) return known[{step, node}] = std::nullopt;
        }
        return known[{step, node}] = one;
    }
    void walk(std::size_t step, std::uint32_t node, std::uint64_t base, Uniform& uniform,
              std::vector<Piece<std::uint64_t>>& found) const {
        for (std::uint64_t at = 0; at < 1UL << kBits[step]; ++at) {
            const std::uint64_t first = base + (at << kShifts[step]);
            const std::uint32_t entry = entries_[node + at];
            const auto one = step + 1 == kDepth ? std::optional(entry) : uniform_class(step + 1, entry, uniform);
            if (!one)
                walk(step + 1, entry, first, uniform, found);
            else if (found.empty() || found.back().rule_class != *one)
                found.push_back({first, *one});
        }
    }
    static RuleClass class_at(const std::vector<Piece<std::uint64_t>>& pieces, std::uint64_t value) {
        return std::prev(std::ranges::upper_bound(pieces, value, {}, &Piece<std::uint64_t>::first))->rule_class;
    }
    static bool is_one(const std::vector<Piece<std::uint64_t>>& pieces, std::uint64_t base, std::uint64_t span) {
        const auto next = std::ranges::upper_bound(pieces, base, {}, &Piece<std::uint64_t>::first);
        return next == pieces.end() || next->first >= base + span;
    }

    std::vector<std::uint32_t> entries_;  ///< node behind node, the first one first; each says where the next begins
    std::map<std::pair<std::size_t, RuleClass>, std::uint32_t> uniform_;  ///< while it is built
};

using Ipv4Table = StrideTable<12, 10, 10>;
using PortTable = StrideTable<8, 8>;

}  // namespace bulkhead
