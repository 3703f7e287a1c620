// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "control/cli/arguments.h"

namespace bulkhead::cli {

inline constexpr const char* kDefaultSocket = "/run/bulkhead/control.sock";

/// The options that may stand anywhere, and the words that are left.
struct CommandLine {
    std::string socket = kDefaultSocket;
    std::chrono::milliseconds timeout{60'000};
    bool json = false;
    bool help = false;
    bool version = false;
    std::vector<std::string> words;
};

/// `environment_socket`: the value of BULKHEAD_SOCKET or nullptr; --socket wins over it.
[[nodiscard]] std::expected<CommandLine, UsageError> read_command_line(std::span<const std::string> arguments,
                                                                       const char* environment_socket);

}  // namespace bulkhead::cli
