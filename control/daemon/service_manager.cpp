// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/service_manager.h"

#include <sys/resource.h>

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

namespace bulkhead::daemon {

void tell_ready(const std::string& status) {
    (void)sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void tell_stopping() {
    (void)sd_notify(0, "STOPPING=1");
}

void tell_succeeded(pid_t successor) {
    (void)sd_notify(0, ("MAINPID=" + std::to_string(successor)).c_str());
}

void tell_alive() {
    (void)sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
    std::uint64_t interval = 0;
    if (sd_watchdog_enabled(0, &interval) <= 0) return std::nullopt;
    return std::chrono::microseconds(interval);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) spdlog::warn("the limit of open files can't be raised");
}

}  // namespace bulkhead::daemon
