// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/cli/session.h"

namespace bulkhead::cli {

/// top [-n N] [--interval SECONDS] [--sort KEY]: rates, live. On a terminal the screen is drawn anew each time and keys
/// are heard (q ends; r, x, t, d, n sort); elsewhere the frames follow one another.
int run_top(const Session& session);

}  // namespace bulkhead::cli
