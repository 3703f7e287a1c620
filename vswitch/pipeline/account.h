// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/base/counters.h"
#include "vswitch/packet/batch.h"

namespace bulkhead {

/// Counts the burst as received: for the worker, the port, and the attachments that assign_segment found.
void account_received(const Batch& batch, WorkerCounters& counters) noexcept;

}  // namespace bulkhead
