// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <termios.h>

namespace bulkhead::cli {

struct TerminalSize {
    std::size_t width = 0, height = 0;  ///< 0: standard output is no terminal, or does not tell
};
[[nodiscard]] TerminalSize terminal_size();

/// The terminal while a full-screen command has it: alternate screen, no cursor, keys as they are pressed. Given back
/// as it was by the destructor; SIGINT and SIGTERM end wait_key() instead of the process, so that it always runs.
/// At most one at a time.
class FullScreen {
  public:
    FullScreen();
    ~FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;

  private:
    std::optional<termios> before_;  ///< none: standard input is no terminal
};

/// A key of standard input (0 when it has ended or a signal asked to end), or nothing when the time has passed.
[[nodiscard]] std::optional<char> wait_key(std::chrono::milliseconds time);

}  // namespace bulkhead::cli
