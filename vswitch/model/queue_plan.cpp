// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/queue_plan.h"

#include <algorithm>

namespace bulkhead {
namespace {

constexpr std::uint16_t kUnplanned = 0xffff;

/// What is settled without a choice: the override, or where the queue was.
std::uint16_t settled_worker(const QueueDemand& demand, std::uint16_t queue, std::uint16_t workers,
                             const QueuePlan& before) {
    if (!demand.workers.empty()) {
        const std::uint16_t wanted = demand.workers[queue % demand.workers.size()];
        if (wanted < workers) return wanted;
    }
    const auto known = before.find(demand.port);
    if (demand.workers.empty() && known != before.end() && queue < known->second.size() &&
        known->second[queue] < workers)
        return known->second[queue];
    return kUnplanned;
}

}  // namespace

QueuePlan plan_queues(const std::vector<QueueDemand>& demands, std::uint16_t workers, const QueuePlan& before) {
    QueuePlan plan;
    std::vector<std::size_t> load(workers, 0);
    for (const QueueDemand& demand : demands) {
        auto& queues = plan[demand.port];
        for (std::uint16_t queue = 0; queue < demand.receive_queues; ++queue) {
            queues.push_back(settled_worker(demand, queue, workers, before));
            if (queues.back() != kUnplanned) ++load[queues.back()];
        }
    }
    for (auto& [port, queues] : plan) {
        for (std::uint16_t& worker : queues) {
            if (worker != kUnplanned) continue;
            worker = static_cast<std::uint16_t>(std::ranges::min_element(load) - load.begin());
            ++load[worker];
        }
    }
    return plan;
}

}  // namespace bulkhead
