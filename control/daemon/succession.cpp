// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/succession.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <spawn.h>
#include <string_view>
#include <unistd.h>

#include "control/api/client.h"
#include "control/rpc/refusal.h"
#include "vswitch/base/system_failure.h"

namespace bulkhead::daemon {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// Ours, but that the service manager's watchdog is no longer told whose signs of life count (sd_watchdog_enabled(3)).
std::vector<char*> environment_of_successor() {
    std::vector<char*> kept;
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (!std::string_view(*variable).starts_with("WATCHDOG_PID=")) kept.push_back(*variable);
    kept.push_back(nullptr);
    return kept;
}

}  // namespace

Result<> start_successor(const std::vector<std::string>& command) {
    std::vector<std::string> arguments = command;
    if (std::ranges::find(arguments, "--replace") == arguments.end()) arguments.emplace_back("--replace");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    std::signal(SIGCHLD, SIG_IGN);  // one that fails says why itself, and nobody waits for it
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);  // the EAL's memory would outlive us in it
    posix_spawnattr_init(&attributes);
    sigset_t none, ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGCHLD);
    sigaddset(&ignored, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ignored);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int error =
        posix_spawnp(&child, argv[0], &files, &attributes, argv.data(), environment_of_successor().data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return system_failure("cannot start " + arguments[0], error);
    return {};
}

Result<bool> end_predecessor(const std::string& socket) {
    if (access(socket.c_str(), F_OK) != 0) return false;
    auto predecessor = api::Client::connect(socket, kPatience);
    if (!predecessor) return false;
    auto answer = predecessor->call("system.shutdown", {{"hand_over", true}});
    if (answer) return true;
    const api::CallFailure& why = answer.error();
    return failure(rpc::refusal(ErrorCode::denied, "the bulkheadd that serves " + socket + " does not hand over: " +
                                                       (why.message.empty() ? why.error.dump() : why.message)));
}

}  // namespace bulkhead::daemon
