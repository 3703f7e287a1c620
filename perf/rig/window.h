// SPDX-License-Identifier: Apache-2.0
// What was counted at a moment, and between two.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "perf/rig/forwarder.h"
#include "perf/rig/scene.h"
#include "perf/rig/workers.h"

namespace bulkhead::rig {

struct WorkerWindow {
    std::uint64_t transmitted = 0;
    double core_s = 0;
};

struct Window {
    double wall_s = 0;
    std::uint64_t received = 0;   ///< newcomers included
    std::uint64_t newcomers = 0;  ///< frames of theirs
    std::uint64_t learned = 0;    ///< more entries in the table
    Tally tally;
    std::vector<WorkerWindow> workers;

    [[nodiscard]] std::uint64_t transmitted() const;
    [[nodiscard]] double core_s() const;
    /// Adds another one of the same kind.
    Window& operator+=(const Window& other);
};

/// Everything since the start, as a window that began then.
[[nodiscard]] Window read(const Scene& scene, const Forwarder& forwarder, const Workers& workers);
/// From `begin` to `end`, both since the start.
[[nodiscard]] Window between(const Window& begin, const Window& end);

}  // namespace bulkhead::rig
