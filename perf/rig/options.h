// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "perf/rig/cases.h"
#include "vswitch/base/result.h"

namespace bulkhead::rig {

enum class Program : std::uint8_t { floor, bulkhead };

struct Options {
    bool help = false;
    const Case* chosen = nullptr;
    Program program = Program::bulkhead;
    double seconds = 0;
    double warm_up = 1;
    std::uint16_t worker_core = 0;
    std::uint16_t control_core = 0;
};

[[nodiscard]] Result<Options> parse_options(int argc, const char* const* argv);
[[nodiscard]] std::string usage();

}  // namespace bulkhead::rig
