// SPDX-License-Identifier: Apache-2.0
// A port with no device behind it: takes and frees whatever is transmitted and counts it, and has nothing to receive.
// Those that have are sources.
//
// Threads: a transmit queue is one worker's; the counters any thread may read.
#pragma once

#include <vector>

#include <rte_mbuf.h>

#include "vswitch/base/counters.h"
#include "vswitch/port_io.h"

namespace bulkhead::rig {

class MemoryPort : public PortIo {
  public:
    /// With a transmit queue for each worker, so that none waits for another.
    explicit MemoryPort(std::uint16_t workers) : transmitted_(workers) {}

    std::uint16_t receive(std::uint16_t /*queue*/, rte_mbuf** /*frames*/, std::uint16_t /*count*/) noexcept override {
        return 0;
    }
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override {
        rte_pktmbuf_free_bulk(frames, count);
        transmitted_[queue].frames.add(count);
        return {count, DropReason::none};
    }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return 1; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override {
        return static_cast<std::uint16_t>(transmitted_.size());
    }
    [[nodiscard]] PortState state() const override { return {.link_up = true}; }

    [[nodiscard]] std::uint64_t received() const noexcept { return received_.frames.read(); }
    [[nodiscard]] std::uint64_t transmitted(std::uint16_t worker) const noexcept {
        return transmitted_[worker].frames.read();
    }

  protected:
    struct alignas(64) Count {
        Counter frames;
    };
    Count received_;

  private:
    std::vector<Count> transmitted_;  ///< by queue
};

}  // namespace bulkhead::rig
