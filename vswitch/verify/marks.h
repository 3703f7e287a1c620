// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bulkhead {

/// Rules as bits, the first lowest.
using Marks = std::vector<std::uint64_t>;

inline Marks no_marks(std::size_t rules) {
    return Marks((rules + 63) / 64);
}
inline void mark(Marks& marks, std::size_t rule) {
    marks[rule / 64] |= 1ULL << rule % 64;
}
inline bool is_marked(const Marks& marks, std::size_t rule) {
    return (marks[rule / 64] >> rule % 64 & 1) != 0;
}
inline Marks common(Marks a, const Marks& b) {
    for (std::size_t word = 0; word < a.size(); ++word) a[word] &= b[word];
    return a;
}
inline std::optional<std::size_t> first_marked(const Marks& marks) {
    for (std::size_t word = 0; word < marks.size(); ++word)
        if (marks[word] != 0) return 64 * word + static_cast<std::size_t>(std::countr_zero(marks[word]));
    return std::nullopt;
}

/// The rules that a value satisfies: of those that were written, and of those that are installed.
struct BothMarks {
    Marks written, installed;
    auto operator<=>(const BothMarks&) const = default;
};
inline BothMarks common(const BothMarks& a, const BothMarks& b) {
    return {common(a.written, b.written), common(a.installed, b.installed)};
}

}  // namespace bulkhead
