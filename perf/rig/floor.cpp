// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/floor.h"

#include <array>

#include <rte_mbuf.h>

#include "vswitch/packet/batch.h"

namespace bulkhead::rig {

Floor::Floor(const Scene& scene) : ways_(scene.workers) {
    for (std::size_t port = 0; port < scene.ports.size(); ++port) {
        // The worker to which the switch's queue plan gives the port.
        Way& way = ways_[port % scene.workers].emplace_back();
        way.from = scene.ports[port].get();
        for (const std::size_t partner : scene.partners[port]) way.to.push_back(scene.ports[partner].get());
    }
}

void Floor::run_worker(std::uint16_t worker) noexcept {
    while (!stop_.load(std::memory_order_relaxed))
        for (const Way& way : ways_[worker]) forward(way, worker);
}

void Floor::forward(const Way& way, std::uint16_t worker) noexcept {
    std::array<rte_mbuf*, Batch::kCapacity> frames;
    const std::uint16_t count = way.from->receive(0, frames.data(), Batch::kCapacity);
    if (count == 0) return;
    if (way.to.size() > 1)
        for (std::uint16_t at = 0; at < count; ++at)
            rte_pktmbuf_refcnt_update(frames[at], static_cast<std::int16_t>(way.to.size() - 1));
    for (PortIo* to : way.to) {
        const std::uint16_t taken = to->transmit(worker, frames.data(), count).taken;
        if (taken < count) [[unlikely]]
            rte_pktmbuf_free_bulk(frames.data() + taken, count - taken);
    }
}

}  // namespace bulkhead::rig
