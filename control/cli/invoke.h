// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/cli/session.h"

namespace bulkhead::cli {

/// Each runs one command and returns the exit status.
int run_noun_verb(const Session& session);  ///< NOUN VERB [ARGS]
int run_call(const Session& session);       ///< call METHOD [JSON]

}  // namespace bulkhead::cli
