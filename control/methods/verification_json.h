// SPDX-License-Identifier: Apache-2.0
// A verification of a segment as segment.verify answers it.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "vswitch/verify/verification.h"

namespace bulkhead::methods {

/// Which names the caller may see; others are null.
struct VerificationNames {
    std::function<bool(const std::string&)> rule, port;
};

/// `{"pairs", "attachments", "segment_differences", "complete"}`
[[nodiscard]] nlohmann::json encode(const SegmentVerification& found, const VerificationNames& names);

}  // namespace bulkhead::methods
