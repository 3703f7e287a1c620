// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/cli/process.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bulkhead::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{20};

/// What the child needs, made before the fork: a thread of ours may hold the allocator's lock at that moment, and in
/// the child nobody would ever give it back.
class Program {
  public:
    Program(const std::vector<std::string>& command, const Surroundings& surroundings) {
        for (const auto& word : command) arguments_.push_back(const_cast<char*>(word.c_str()));
        const bool has_path =
            std::ranges::any_of(surroundings.environment, [](auto& entry) { return entry.starts_with("PATH="); });
        if (!has_path) environment_.push_back(const_cast<char*>("PATH=/usr/bin:/bin"));
        for (const auto& entry : surroundings.environment) environment_.push_back(const_cast<char*>(entry.c_str()));
        arguments_.push_back(nullptr);
        environment_.push_back(nullptr);
    }
    [[noreturn]] void become() const {
        ::execve(arguments_[0], arguments_.data(), environment_.data());
        ::_exit(127);
    }

  private:
    std::vector<char*> arguments_, environment_;
};

int wait_for_milliseconds(steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Appends what can be read; false at the end of the stream (for a terminal: EIO, when its program has ended).
bool drain(int descriptor, std::string& text) {
    std::array<char, 4096> bytes{};
    const auto count = ::read(descriptor, bytes.data(), bytes.size());
    if (count > 0) text.append(bytes.data(), static_cast<std::size_t>(count));
    return count > 0;
}

}  // namespace

Finished run_program(const std::vector<std::string>& command, const Surroundings& surroundings) {
    int in[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return {};
    const Program program(command, surroundings);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::dup2(err[1], STDERR_FILENO);
        program.become();
    }
    for (const int theirs : {in[0], out[1], err[1]}) ::close(theirs);
    [[maybe_unused]] const auto written = ::write(in[1], surroundings.input.data(), surroundings.input.size());
    ::close(in[1]);

    Finished finished;
    const auto deadline = steady_clock::now() + kPatience;
    pollfd streams[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        if (::poll(streams, 2, wait_for_milliseconds(deadline)) == 0) {
            ::kill(child, SIGKILL);
            break;
        }
        if (streams[0].revents != 0 && !drain(out[0], finished.out)) streams[0].fd = -1;
        if (streams[1].revents != 0 && !drain(err[0], finished.err)) streams[1].fd = -1;
    }
    ::close(out[0]);
    ::close(err[0]);
    finished.status = status_of(child);
    return finished;
}

Finished run_on_terminal(const std::vector<std::string>& command, unsigned short columns,
                         const Surroundings& surroundings, const std::string& keys) {
    int terminal = -1;
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    const Program program(command, surroundings);
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) program.become();

    Finished finished;
    const auto deadline = steady_clock::now() + kPatience;
    bool typed = keys.empty();
    while (true) {
        pollfd stream{terminal, POLLIN, 0};
        if (::poll(&stream, 1, wait_for_milliseconds(deadline)) == 0) {
            ::kill(child, SIGKILL);
            break;
        }
        if (!drain(terminal, finished.out)) break;
        if (!typed) typed = ::write(terminal, keys.data(), keys.size()) > 0;
    }
    ::close(terminal);
    finished.status = status_of(child);
    return finished;
}

}  // namespace bulkhead::cli
