// SPDX-License-Identifier: Apache-2.0
// The wire between an underlay's NIC and its host TAP, which knows no segment and learns nothing.
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/base/counters.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

class HostWire {
  public:
    HostWire(std::uint16_t worker, WorkerCounters& counters, rte_mempool* buffers)
        : worker_(worker), counters_(counters), buffers_(buffers) {}

    /// Sends frames, which it takes, out of the port at one end: as they are, but for the work that a sender left for
    /// its device and this one can't do. What is not sent is counted and dropped with that port.
    void send(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, std::uint16_t count) noexcept;

  private:
    struct Burst {
        std::uint16_t count = 0;
        std::array<rte_mbuf*, Batch::kCapacity> frames;
        std::array<std::uint32_t, Batch::kCapacity> lengths;  ///< read before the port takes the frame away
    };

    void add(const PortEntry& entry, PortIndex port, rte_mbuf* frame, Burst& burst) noexcept;
    void add_finished(const PortEntry& entry, PortIndex port, rte_mbuf* frame, Burst& burst) noexcept;
    void transmit(const PortEntry& entry, PortIndex port, Burst& burst) noexcept;
    void drop(PortIndex port, rte_mbuf* frame, DropReason reason) noexcept;

    std::uint16_t worker_;
    WorkerCounters& counters_;
    rte_mempool* buffers_;
};

}  // namespace bulkhead
