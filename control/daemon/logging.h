// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace bulkhead::daemon {

/// Everything goes to standard error, for the journal or whoever started us: lines of text, or one JSON object a line
/// (`time`, `level`, `message`).
void start_logging(const std::string& level, bool as_json);

/// One line of level info about an event: "KIND {…}", or as JSON `message` is the kind, and `event` the object.
void log_event(const std::string& kind, const nlohmann::json& fields);

}  // namespace bulkhead::daemon
