// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "control/cli/rates.h"
#include "control/cli/text.h"

namespace bulkhead::cli {

/// One frame of `top`: ports in the order given, their total, workers. Pure. `height` 0: all ports; else as many as
/// fit.
[[nodiscard]] std::string top_frame(const Rates& rates, const Screen& screen, std::size_t height);

[[nodiscard]] std::string packet_rate(double packets);  ///< "12.3 kpps"
[[nodiscard]] std::string bit_rate(double bits);        ///< "945.1 Mbit/s"

}  // namespace bulkhead::cli
