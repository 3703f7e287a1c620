// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vswitch/base/result.h"

namespace bulkhead::daemon {

struct Options {
    std::filesystem::path config = "/etc/bulkhead/bulkhead.json";
    bool config_is_named = false;  ///< otherwise the file need not be there
    std::string state_dir = "/var/lib/bulkhead";
    std::string socket = "/run/bulkhead/control.sock";
    std::string log_level = "info";
    bool log_json = false;
    bool check = false, recover = false, replace = false, version = false, help = false;
    std::vector<std::string> command;  ///< as we were called, the program first
};

/// Errors are for people, and name the option.
[[nodiscard]] Result<Options> parse_options(int argc, const char* const* argv);
[[nodiscard]] std::string usage();

}  // namespace bulkhead::daemon
