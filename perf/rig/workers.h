// SPDX-License-Identifier: Apache-2.0
// The workers' threads while they run, and the time each had its core.
//
// That time, not the clock on the wall, is what the frames cost: whoever else runs on the machine takes the core away
// now and then, and a worker that polls uses all it is given.
#pragma once

#include <ctime>
#include <vector>

#include "perf/rig/forwarder.h"
#include "vswitch/base/result.h"

namespace bulkhead::rig {

class Workers {
  public:
    /// Returns when all of them run.
    static Result<> start(Forwarder& forwarder, std::uint16_t count, Workers& workers);
    Workers() = default;
    ~Workers() { stop(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    void stop();  ///< returns when they have
    /// Seconds since it began.
    [[nodiscard]] double core_s(std::uint16_t worker) const;

  private:
    Forwarder* forwarder_ = nullptr;  ///< null: none runs
    std::vector<clockid_t> clocks_;   ///< by worker
};

}  // namespace bulkhead::rig
