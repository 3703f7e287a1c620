// SPDX-License-Identifier: Apache-2.0
// Text on a terminal: what is safe to show, and how wide it is.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

/// Where text goes. `width` 0: as wide as it likes (a file or a pipe).
struct Screen {
    std::size_t width = 0;
    bool colour = false;
};

/// The text without control characters (each becomes '?'): what comes over the socket must not steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// Columns that UTF-8 text takes, at one a code point: names and addresses have no wide characters.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The first `width` columns; what is cut ends in "…".
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);

/// A JSON value in a line: strings bare, yes/no for booleans, "-" for what is null or empty, lists with commas.
[[nodiscard]] std::string one_line(const nlohmann::json& value);

/// The parts, one after the other.
[[nodiscard]] std::string concat(std::initializer_list<std::string_view> parts);

/// "port.add" as it is typed: "port add".
[[nodiscard]] std::string spoken(std::string_view method_name);

}  // namespace bulkhead::cli
