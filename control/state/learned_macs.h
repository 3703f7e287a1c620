// SPDX-License-Identifier: Apache-2.0
// What the switch had learned when it was last ended on purpose. Without it every station is unknown after a restart,
// and frames for it are flooded until it speaks. It is a cache, no state: nobody misses it, and what is damaged, stale
// or left by another boot of the machine counts for nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "vswitch/base/result.h"
#include "vswitch/switch.h"

namespace bulkhead {

using WallTime = std::chrono::system_clock::time_point;

/// More are not kept: reading them would take longer than learning them anew.
inline constexpr std::size_t kMostKeptMacs = 65536;
/// Stations move while we are away, and we don't hear of it.
inline constexpr std::chrono::seconds kFreshFor{60};

/// Writes `folder`/learned-macs.json, 0600. Static entries are not for it.
[[nodiscard]] Result<> keep_learned_macs(const std::string& folder, const std::vector<MacEntry>& entries, WallTime now);

/// What was kept, older by the time since; the file is gone afterwards, so that a later start after a kill does not
/// take it for news. Empty where there is none; an Error when there is one and it is not to be used, for the log.
[[nodiscard]] Result<std::vector<MacEntry>> take_learned_macs(const std::string& folder, WallTime now);

}  // namespace bulkhead
