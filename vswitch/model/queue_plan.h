// SPDX-License-Identifier: Apache-2.0
// Which worker polls which receive queue: a pure function. A queue stays where it is while it exists, because a queue
// that moves costs a second snapshot; new ones go to the worker with the fewest, so that a port's queues spread. An
// override wins always.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bulkhead {

struct QueueDemand {
    std::string port;
    std::uint16_t receive_queues = 1;
    std::vector<std::uint16_t> workers;  ///< the port's override: worker of queue i is workers[i % size]
};

/// Worker of each receive queue, by port.
using QueuePlan = std::map<std::string, std::vector<std::uint16_t>>;

[[nodiscard]] QueuePlan plan_queues(const std::vector<QueueDemand>& demands, std::uint16_t workers,
                                    const QueuePlan& before);

}  // namespace bulkhead
