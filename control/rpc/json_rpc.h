// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as a pure function: a line in, a reply line or nothing out.
//
// Stricter than the standard where a mistake would otherwise be guessed at: an object with the same key twice is a
// parse error, as are invalid UTF-8 and nesting beyond kMaxDepth. A reply is one line of valid UTF-8, whatever came in.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "vswitch/base/result.h"

namespace bulkhead::rpc {

inline constexpr int kMaxDepth = 64;                               ///< arrays and objects inside each other
inline constexpr std::size_t kMaxBatch = 1000;                     ///< requests in one batch
inline constexpr std::size_t kMaxBatchReply = 16UL * 1024 * 1024;  ///< bytes; the rest of the batch is not carried out
inline constexpr std::chrono::seconds kMaxBatchTime{2};            ///< likewise: everybody else waits meanwhile

/// Carries a request out. `params` is what the request had: an object, an array, or null when it had none.
using Invoke = std::function<Result<nlohmann::json>(const std::string& method, const nlohmann::json& params)>;

/// The reply to one line (without its newline), or nothing when it holds only notifications.
[[nodiscard]] std::optional<std::string> answer(std::string_view line, const Invoke& invoke,
                                                std::chrono::milliseconds batch_time = kMaxBatchTime);

/// Parses one JSON text by the rules above; refusals are `parse_error`. Never throws.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text);

/// `{code, message, data: {field, got, allowed, retryable}}`. What is empty is left out, and `data` too when nothing is
/// in it; our own codes always have `retryable`. Long texts are cut: an error does not echo a megabyte.
[[nodiscard]] nlohmann::json error_object(const Error& error);

/// A whole error reply; `id` is null where the request's could not be known.
[[nodiscard]] std::string error_reply(const Error& error, const nlohmann::json& id = nullptr);

/// JSON text on one line; strings that are not UTF-8 get U+FFFD in the place of what is wrong.
[[nodiscard]] std::string to_line(const nlohmann::json& value);

}  // namespace bulkhead::rpc
