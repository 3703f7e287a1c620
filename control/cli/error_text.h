// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

/// A JSON-RPC error object in a line for people: `port "x": /segment: no such segment; got "bleu"; allowed …`.
/// `method` and `params` are those of the call: they say whose field it is when the message does not.
[[nodiscard]] std::string error_text(const nlohmann::json& error, std::string_view method,
                                     const nlohmann::json& params);

}  // namespace bulkhead::cli
