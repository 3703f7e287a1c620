// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "control/api/client.h"
#include "control/cli/command_line.h"
#include "control/cli/text.h"

namespace bulkhead::cli {

/// The exit status of bulkheadctl, part of its contract.
enum ExitCode : int { kDone = 0, kRefused = 1, kWrongUsage = 2, kNoConnection = 3 };

/// What every command works with.
struct Session {
    const CommandLine& line;
    std::ostream& out;
    std::ostream& err;
    Screen screen;
    bool is_terminal = false;  ///< `out` is one
};

/// Each tells what is wrong on `err` and returns the exit status that belongs to it.
int report(const Session& session, const UsageError& error);
int report(const Session& session, const api::CallFailure& failure, std::string_view method,
           const nlohmann::json& params);

/// JSON as --json prints it: indented for people, on one line for programs.
void print_json(const Session& session, const nlohmann::json& value);

/// The text of a file, of standard input for "-".
std::expected<std::string, std::string> read_text(const std::string& path);

}  // namespace bulkhead::cli
