// SPDX-License-Identifier: Apache-2.0
// From the words of a command line to the parameters of a method, by the method's row. Pure: files come through a
// function.
//
//   required parameters may stand bare, in the order of the row; every parameter is also `--name value` (`-` for `_`)
//   boolean    --name, --name true, --name=false
//   array      a,b,c or JSON; given again it grows; an array of objects is JSON, one object or a list of them
//   object     JSON, @file, - (standard input), or the bare path of a file
//   set        `null` brings the default back (RFC 7396)
#pragma once

#include <expected>
#include <functional>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "control/api/methods.h"

namespace bulkhead::cli {

/// What is wrong with the command line, for the person who typed it.
struct UsageError {
    std::string message;
};

/// The text of a file, of standard input for "-"; the error says why not.
using ReadText = std::function<std::expected<std::string, std::string>(const std::string& path)>;

[[nodiscard]] std::expected<nlohmann::json, UsageError> parse_arguments(const api::Method& method,
                                                                        std::span<const std::string> words,
                                                                        const ReadText& read_text);

/// `mac_age_s` → `--mac-age-s`
[[nodiscard]] std::string option_name(const api::Field& field);

}  // namespace bulkhead::cli
