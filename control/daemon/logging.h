// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace bulkhead::daemon {

/// Everything goes to standard error, for the journal or whoever started us: lines of text, or one JSON object a line
/// (`time`, `level`, `message`).
void start_logging(const std::string& level, bool as_json);

}  // namespace bulkhead::daemon
