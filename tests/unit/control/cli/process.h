// SPDX-License-Identifier: Apache-2.0
// Runs the real bulkheadctl and waits for it.
#pragma once

#include <string>
#include <vector>

namespace bulkhead::cli {

struct Finished {
    int status = -1;  ///< exit status; 128 + n after signal n
    std::string out;  ///< on a terminal: all that was shown
    std::string err;
};

struct Surroundings {
    std::vector<std::string> environment;  ///< "NAME=VALUE", besides PATH
    std::string input;                     ///< standard input
};

/// Ends it after 20 s: then the status is that of SIGKILL.
[[nodiscard]] Finished run_program(const std::vector<std::string>& command, const Surroundings& surroundings = {});

/// The same with a terminal of `columns` × 24; `keys` are typed when the program has first shown something.
[[nodiscard]] Finished run_on_terminal(const std::vector<std::string>& command, unsigned short columns,
                                       const Surroundings& surroundings = {}, const std::string& keys = {});

}  // namespace bulkhead::cli
