// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

namespace bulkhead::guest {

inline double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// How long this thread has had its core since it began: while others have it, the switch is left alone.
inline double core_seconds() {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

inline double wall_seconds() {
    return seconds_of(CLOCK_MONOTONIC);
}

}  // namespace bulkhead::guest
