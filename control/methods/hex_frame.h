// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vswitch/base/result.h"

namespace bulkhead::methods {

/// The octets of a frame that the parameter `frame` gives in hexadecimal, from its destination address on.
[[nodiscard]] Result<std::vector<std::uint8_t>> frame_from_hex(const std::string& hex);

}  // namespace bulkhead::methods
