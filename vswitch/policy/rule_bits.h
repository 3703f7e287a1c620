// SPDX-License-Identifier: Apache-2.0
// Sets of rules as bits, the first rule lowest. A field of a frame has few values that rules can tell apart: its
// classes, each with the set of rules that it satisfies. What all fields' sets have in common are the rules that match.
//
// Threads: built by control, then immutable.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace bulkhead {

/// 256 rules, which a CPU compares at once.
struct alignas(32) RuleBits {
    static constexpr std::size_t kRules = 256;
    std::array<std::uint64_t, 4> words{};

    void set(std::size_t rule) noexcept { words[rule / 64] |= 1ULL << rule % 64; }
    void clear(std::size_t rule) noexcept { words[rule / 64] &= ~(1ULL << rule % 64); }
    RuleBits& operator&=(const RuleBits& other) noexcept {
        // As one register, where the CPU has such.
        using Vector [[gnu::vector_size(32)]] = std::uint64_t;
        Vector mine, others;
        std::memcpy(&mine, words.data(), sizeof mine);
        std::memcpy(&others, other.words.data(), sizeof others);
        mine &= others;
        std::memcpy(words.data(), &mine, sizeof mine);
        return *this;
    }
    /// The lowest; kRules if there is none. Which it is is nothing a CPU could predict, so no branch asks.
    [[nodiscard]] unsigned first() const noexcept {
        const unsigned used = (words[0] != 0 ? 1U : 0U) | (words[1] != 0 ? 2U : 0U) | (words[2] != 0 ? 4U : 0U) | kEnd;
        const auto word = static_cast<unsigned>(std::countr_zero(used));
        return 64 * word + static_cast<unsigned>(std::countr_zero(words[word]));
    }
    auto operator<=>(const RuleBits&) const = default;

  private:
    static constexpr unsigned kEnd = 8;  ///< the last word is asked if no other one is used
};

/// As many rules as there are.
using RuleSetBits = std::vector<RuleBits>;

inline void set_rule(RuleSetBits& bits, std::size_t rule) noexcept {
    bits[rule / RuleBits::kRules].set(rule % RuleBits::kRules);
}

/// The sets of a field's classes. Equal sets are one class.
class RuleClasses {
  public:
    explicit RuleClasses(std::size_t rules) : blocks_((rules + RuleBits::kRules - 1) / RuleBits::kRules) {}

    [[nodiscard]] RuleSetBits none() const { return RuleSetBits(blocks_); }
    /// The class of a set, a new one if there is none.
    std::uint16_t intern(const RuleSetBits& bits) {
        const auto [known, is_new] = classes_.try_emplace(bits, static_cast<std::uint16_t>(classes_.size()));
        if (is_new) rows_.insert(rows_.end(), bits.begin(), bits.end());
        return known->second;
    }
    /// Nothing will be interned any more.
    void seal() {
        classes_.clear();
        rows_.shrink_to_fit();
    }
    [[nodiscard]] const RuleBits* of(std::uint16_t rule_class) const noexcept {
        return rows_.data() + rule_class * blocks_;
    }
    /// The same where one block holds all rules.
    [[nodiscard]] const RuleBits& only(std::uint16_t rule_class) const noexcept { return rows_.data()[rule_class]; }
    [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }

  private:
    std::size_t blocks_;
    std::map<RuleSetBits, std::uint16_t> classes_;
    std::vector<RuleBits> rows_;
};

}  // namespace bulkhead
