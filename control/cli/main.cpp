// SPDX-License-Identifier: Apache-2.0
// bulkheadctl: the control API on the command line. Everything it knows of methods comes out of the method table.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

#include "control/cli/command_line.h"
#include "control/cli/completion.h"
#include "control/cli/help.h"
#include "control/cli/invoke.h"
#include "control/cli/policy_import.h"
#include "control/cli/session.h"
#include "control/cli/terminal.h"
#include "control/cli/top.h"
#include "control/cli/watch.h"

namespace bulkhead::cli {
namespace {

bool wants_colour(bool is_terminal) {
    const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org: set and not empty
    return is_terminal && (no_colour == nullptr || *no_colour == '\0');
}

int print_completion(const Session& session) {
    const auto& words = session.line.words;
    if (words.size() != 2 || words[1] != "bash")
        return report(session, UsageError{"usage: bulkheadctl completion bash"});
    session.out << bash_completion();
    return kDone;
}

int run(const Session& session) {
    const CommandLine& line = session.line;
    if (line.version) {
        session.out << "bulkheadctl " << BULKHEAD_VERSION << "\n";
        return kDone;
    }
    if (line.words.empty()) {
        (line.help ? session.out : session.err) << program_help();
        return line.help ? kDone : kWrongUsage;
    }
    const std::string& command = line.words.front();
    const bool is_own_command = command == "call" || command == "top" || command == "watch" || command == "completion";
    if (is_own_command && line.help) {
        session.out << program_help();
        return kDone;
    }
    if (command == "call") return run_call(session);
    if (command == "top") return run_top(session);
    if (command == "watch") return run_watch(session);
    if (command == "completion") return print_completion(session);
    if (command == "policy" && line.words.size() > 1 && line.words[1] == "import") return run_policy_import(session);
    return run_noun_verb(session);
}

int main_of(const std::vector<std::string>& arguments) {
    const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
    const auto line = read_command_line(arguments, std::getenv("BULKHEAD_SOCKET"));
    const CommandLine none;
    const Session session{.line = line ? *line : none,
                          .out = std::cout,
                          .err = std::cerr,
                          .screen = {.width = terminal_size().width, .colour = wants_colour(is_terminal)},
                          .is_terminal = is_terminal};
    if (!line) return report(session, line.error());
    try {
        const int status = run(session);
        std::cout.flush();
        if (std::cout || status != kDone) return status;
        std::cerr << "bulkheadctl: standard output can't be written\n";
        return kRefused;
    } catch (const std::exception& error) {  // JSON of another shape than docs/api.md promises
        std::cerr << "bulkheadctl: the switch's answer can't be understood: " << error.what() << "\n";
        return kNoConnection;
    }
}

}  // namespace
}  // namespace bulkhead::cli

int main(int argc, char** argv) {
    return bulkhead::cli::main_of({argv + 1, argv + argc});
}
