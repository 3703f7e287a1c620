// SPDX-License-Identifier: Apache-2.0
// A restart without the wait for a start: the new process comes up beside the old one, memory and all, and only then
// ends it (docs/operations.md, "Restart").
#pragma once

#include <string>
#include <vector>

#include "vswitch/base/result.h"

namespace bulkhead::daemon {

/// Starts the program again, as it was called, with --replace: perhaps a newer one by now, which lies at the same path.
[[nodiscard]] Result<> start_successor(const std::vector<std::string>& command);

/// Asks the switch that serves the socket to hand over to this process. False if there is none. It ends by itself from
/// then on, and lets go of the state folder when everything else is free.
[[nodiscard]] Result<bool> end_predecessor(const std::string& socket);

}  // namespace bulkhead::daemon
