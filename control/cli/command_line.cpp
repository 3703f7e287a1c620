// SPDX-License-Identifier: Apache-2.0
#include "control/cli/command_line.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bulkhead::cli {
namespace {

/// The value of `--name VALUE` or `--name=VALUE` at `at`, which then stands on the last word taken; nothing if another
/// option is there.
std::optional<std::string> value_of(std::span<const std::string> words, std::size_t& at, std::string_view name) {
    const std::string_view word = words[at];
    if (word.starts_with(name) && word.substr(name.size()).starts_with('='))
        return std::string(word.substr(name.size() + 1));
    if (word != name || at + 1 >= words.size()) return std::nullopt;
    return words[++at];
}

std::optional<std::chrono::milliseconds> seconds(const std::string& text) {
    constexpr double kMost = 86'400;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0.001 && value <= kMost))
        return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

}  // namespace

std::expected<CommandLine, UsageError> read_command_line(std::span<const std::string> arguments,
                                                         const char* environment_socket) {
    CommandLine line;
    if (environment_socket != nullptr && *environment_socket != '\0') line.socket = environment_socket;
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const std::string& word = arguments[at];
        if (word == "--json") {
            line.json = true;
        } else if (word == "--help" || word == "-h") {
            line.help = true;
        } else if (word == "--version") {
            line.version = true;
        } else if (const auto path = value_of(arguments, at, "--socket")) {
            line.socket = *path;
        } else if (const auto text = value_of(arguments, at, "--timeout")) {
            const auto timeout = seconds(*text);
            if (!timeout)
                return std::unexpected(UsageError{"--timeout: got \"" + *text + "\"; allowed 0.001-86400 seconds"});
            line.timeout = *timeout;
        } else if (word == "--socket" || word == "--timeout") {
            return std::unexpected(UsageError{word + " needs a value"});
        } else if (line.words.empty() && word.starts_with('-')) {
            return std::unexpected(UsageError{"unknown option " + word});
        } else {
            line.words.push_back(word);
        }
    }
    return line;
}

}  // namespace bulkhead::cli
