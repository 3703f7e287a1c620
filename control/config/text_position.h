// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bulkhead::config {

/// Counted from 1, as editors do; columns are bytes.
struct TextPosition {
    std::size_t line = 1, column = 1;
    bool operator==(const TextPosition&) const = default;
};

[[nodiscard]] TextPosition position_of_offset(std::string_view text, std::size_t offset);

/// Where the value that a JSON pointer (RFC 6901) names begins in a valid JSON text; where the pointer leads nowhere,
/// the nearest value around it (for a missing field: the object that lacks it).
[[nodiscard]] TextPosition position_of_pointer(std::string_view text, std::string_view pointer);

/// Where a text stops being JSON, or holds a number that is too large; nothing when it does neither.
[[nodiscard]] std::optional<TextPosition> position_of_flaw(std::string_view text);

}  // namespace bulkhead::config
