// SPDX-License-Identifier: Apache-2.0
// What systemd is told, where it is there to hear it (sd_notify(3), sd_watchdog_enabled(3)).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>

namespace bulkhead::daemon {

void tell_ready(const std::string& status);
void tell_stopping();
/// This process ends and the service goes on: `successor` is its main process now.
void tell_succeeded(pid_t successor);
void tell_alive();
/// How often tell_alive() is wanted at the least; nothing when no watchdog is set.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

/// Guests, pods and clients each hold descriptors: takes all that the hard limit allows.
void raise_descriptor_limit();

}  // namespace bulkhead::daemon
