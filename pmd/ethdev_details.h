// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vswitch/port_io.h"

namespace bulkhead {

/// Fills in what the device says of itself: driver, address, speed, MTU, and those of its counters that tell of
/// trouble.
void describe_ethdev(std::uint16_t id, PortState& state);

}  // namespace bulkhead
