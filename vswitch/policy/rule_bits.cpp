// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/rule_bits.h"

namespace bulkhead {

RuleClass RuleClasses::intern(const RuleSetBits& bits) {
    const auto [known, is_new] = classes_.try_emplace(bits, static_cast<RuleClass>(rows_.size() + 1));
    if (!is_new) return known->second;
    std::uint64_t summary = 0;
    for (std::size_t word = 0; word < words_; ++word) summary |= bits[word] != 0 ? 1ULL << word : 0;
    rows_.push_back(summary);
    rows_.insert(rows_.end(), bits.begin(), bits.end());
    return known->second;
}

}  // namespace bulkhead
