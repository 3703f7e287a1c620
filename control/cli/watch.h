// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "control/cli/session.h"

namespace bulkhead::cli {

/// watch [KIND…]: prints events until the connection ends (then kNoConnection: events were missed from there on).
int run_watch(const Session& session);

/// One notification in a line: `2026-01-31T12:00:00Z mac.moved segment=blue mac=… port=web-0`.
[[nodiscard]] std::string event_line(const nlohmann::json& notification);

}  // namespace bulkhead::cli
