// SPDX-License-Identifier: Apache-2.0
// What the ports themselves cost: as testpmd's mode `io` does, each worker takes a burst from each of its ports and
// hands it to the partner, and looks at nothing. To many partners it goes by reference.
#pragma once

#include <atomic>
#include <vector>

#include "perf/rig/forwarder.h"
#include "perf/rig/scene.h"

namespace bulkhead::rig {

class Floor : public Forwarder {
  public:
    explicit Floor(const Scene& scene);

    void run_worker(std::uint16_t worker) noexcept override;
    void stop() noexcept override { stop_.store(true, std::memory_order_relaxed); }

  private:
    struct Way {
        PortIo* from = nullptr;
        std::vector<PortIo*> to;
    };
    static void forward(const Way& way, std::uint16_t worker) noexcept;

    std::vector<std::vector<Way>> ways_;  ///< by worker
    std::atomic<bool> stop_{false};
};

}  // namespace bulkhead::rig
