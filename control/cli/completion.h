// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace bulkhead::cli {

/// A script for bash: nouns, verbs and options out of the method table, names of objects by asking the switch.
[[nodiscard]] std::string bash_completion();

}  // namespace bulkhead::cli
