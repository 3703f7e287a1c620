// SPDX-License-Identifier: Apache-2.0
// What a port may do a second, as its frames meet it. Outlives snapshots: a change of something else must not fill its
// buckets.
//
// Threads: PortLimiter any, PortLimiters control.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "vswitch/limits/rate_limit.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"

namespace bulkhead {

struct Snapshot;

/// One port's; what is not limited is not there.
struct PortLimiter {
    explicit PortLimiter(const PortLimits& configured);

    const PortLimits limits;
    std::optional<RateLimit> received;     ///< bytes
    std::optional<RateLimit> transmitted;  ///< bytes
    std::optional<RateLimit> flooded;      ///< frames
    std::optional<RateLimit> mac_moves;
};

class PortLimiters {
  public:
    /// Gives each port of the snapshot that has limits its limiter: the one it has already, if they are the same.
    void add_limits(Snapshot& snapshot, const Model& model, const Indices& indices);

  private:
    std::map<std::string, std::shared_ptr<PortLimiter>> limiters_;  ///< by port
};

}  // namespace bulkhead
