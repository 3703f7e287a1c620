// SPDX-License-Identifier: Apache-2.0
// YAML or JSON as JSON values.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "vswitch/base/result.h"

namespace bulkhead::policy_import {

/// The documents of a text, in order; one that is empty is null. Plain scalars are what the core schema of YAML 1.2
/// makes of them, but numbers are decimal. A key that stands twice, a tag, and what is nested too deep or too large
/// (aliases multiply) is refused.
[[nodiscard]] Result<std::vector<nlohmann::json>> read_documents(const std::string& text);

/// The value without the members that are null, at any depth: Kubernetes reads those as absent. Those of matchLabels
/// stay: a label that is left out of a selector makes it select more.
[[nodiscard]] nlohmann::json without_nulls(const nlohmann::json& value);

}  // namespace bulkhead::policy_import
