// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "control/cli/session.h"

namespace bulkhead::cli {

/// policy import FILE --segment S --labels FILE: Kubernetes' policies as groups and rules (control/policy_import).
/// kRefused also when all is done but some port's group could not be set: those are told of, one a line.
int run_policy_import(const Session& session);

[[nodiscard]] std::string policy_import_help();

inline constexpr const char* kPolicyImportOptions = " --segment --labels --owner --dry-run --help";

}  // namespace bulkhead::cli
