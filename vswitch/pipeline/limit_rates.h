// SPDX-License-Identifier: Apache-2.0
// The stages of a port that has limits. One without them has neither of the two.
#pragma once

#include "vswitch/limits/port_limiter.h"
#include "vswitch/packet/batch.h"

namespace bulkhead {

/// No more bytes into the switch than its rate. Verdict: rx_rate.
void limit_received(Batch& batch, PortLimiter& limiter) noexcept;

/// No more frames for many than its rate; lookup has said which they are. Verdict: storm.
void limit_flooded(Batch& batch, PortLimiter& limiter) noexcept;

}  // namespace bulkhead
