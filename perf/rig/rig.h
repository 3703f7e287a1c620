// SPDX-License-Identifier: Apache-2.0
// A scene, what forwards in it, and its workers: what control does with them while they run.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "perf/rig/forwarder.h"
#include "perf/rig/scene.h"
#include "perf/rig/window.h"
#include "perf/rig/workers.h"
#include "vswitch/base/result.h"

namespace bulkhead::rig {

/// What is said when a source, or the worker that should poll it, has stopped.
[[nodiscard]] std::unexpected<Error> stuck(const std::string& what);

class Rig {
  public:
    Rig(const Scene& scene, Forwarder& forwarder, const Workers& workers)
        : scene_(scene), forwarder_(forwarder), workers_(workers) {}

    /// Every station says something, until the tables hold them and their connections all: but for one in a hundred
    /// thousand at most.
    Result<> introduce();
    /// The same without the until.
    Result<> introduce_once();
    /// How many it then held.
    [[nodiscard]] std::size_t known() const { return known_; }
    void talk();
    /// Lets time pass, and does meanwhile what the daemon's control thread does.
    void pass(double seconds);

    [[nodiscard]] Window read() const { return rig::read(scene_, forwarder_, workers_); }
    /// pass(), and what was counted meanwhile.
    [[nodiscard]] Window watch(double seconds);

    [[nodiscard]] const Scene& scene() const { return scene_; }
    [[nodiscard]] Forwarder& forwarder() { return forwarder_; }

  private:
    using Clock = std::chrono::steady_clock;

    const Scene& scene_;
    Forwarder& forwarder_;
    const Workers& workers_;
    std::size_t known_ = 0;
    Clock::time_point next_events_ = Clock::now();
    Clock::time_point next_housekeeping_ = Clock::now();
};

}  // namespace bulkhead::rig
