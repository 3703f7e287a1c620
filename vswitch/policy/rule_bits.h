// SPDX-License-Identifier: Apache-2.0
// Sets of rules as bits, the first rule lowest. A field of a frame has few values that rules can tell apart: its
// classes, each with the set of rules that it satisfies. What all fields' sets have in common are the rules that match.
//
// Threads: built by control, then immutable.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace bulkhead {

/// As many rules as there are, 64 a word.
using RuleSetBits = std::vector<std::uint64_t>;
inline constexpr std::size_t kRulesPerWord = 64;

inline void set_rule(RuleSetBits& bits, std::size_t rule) noexcept {
    bits[rule / kRulesPerWord] |= 1ULL << rule % kRulesPerWord;
}
inline void clear_rule(RuleSetBits& bits, std::size_t rule) noexcept {
    bits[rule / kRulesPerWord] &= ~(1ULL << rule % kRulesPerWord);
}
[[nodiscard]] inline bool has_rule(const std::uint64_t* bits, std::size_t rule) noexcept {
    return (bits[rule / kRulesPerWord] >> rule % kRulesPerWord & 1) != 0;
}

/// Where a class's words begin.
using RuleClass = std::uint32_t;

/// The sets of all fields' classes. Equal sets are one class.
class RuleClasses {
  public:
    static constexpr std::size_t kMostRules = kRulesPerWord * kRulesPerWord;
    static constexpr std::size_t kNone = SIZE_MAX;

    explicit RuleClasses(std::size_t rules) : words_((rules + kRulesPerWord - 1) / kRulesPerWord) {}

    [[nodiscard]] RuleSetBits none() const { return RuleSetBits(words_); }
    /// The class of a set, a new one if there is none.
    RuleClass intern(const RuleSetBits& bits);
    /// Nothing will be interned any more.
    void seal() {
        classes_.clear();
        rows_.shrink_to_fit();
    }

    /// Its words, and in front of them their summary: a bit for each that is not 0.
    [[nodiscard]] const std::uint64_t* row(RuleClass rule_class) const noexcept { return rows_.data() + rule_class; }
    [[nodiscard]] std::size_t words() const noexcept { return words_; }

  private:
    std::size_t words_;
    std::map<RuleSetBits, RuleClass> classes_;
    std::vector<std::uint64_t> rows_;
};

/// The first rule, from `from` on, that is in all of some classes, by their rows; RuleClasses::kNone if there is none.
[[nodiscard]] inline std::size_t first_common(std::span<const std::uint64_t* const> rows,
                                              std::size_t from = 0) noexcept {
    const auto common = [rows](std::ptrdiff_t at) {
        std::uint64_t left = rows[0][at];
        for (std::size_t row = 1; row < rows.size(); ++row) left &= rows[row][at];
        return left;
    };
    const std::size_t first_word = from / kRulesPerWord;
    for (std::uint64_t words = common(-1) & ~0ULL << first_word; words != 0; words &= words - 1) {
        const auto word = static_cast<std::size_t>(std::countr_zero(words));
        std::uint64_t left = common(static_cast<std::ptrdiff_t>(word));
        if (word == first_word) left &= ~0ULL << from % kRulesPerWord;
        if (left != 0) return kRulesPerWord * word + static_cast<std::size_t>(std::countr_zero(left));
    }
    return RuleClasses::kNone;
}

}  // namespace bulkhead
