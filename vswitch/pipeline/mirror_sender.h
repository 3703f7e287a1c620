// SPDX-License-Identifier: Apache-2.0
// The way of copies to their observers: a queue for each, flushed behind the burst's own frames. What an observer does
// not take at once is lost to it, and counted; nothing waits for it, and none of the frames that were copied do.
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/mirror/mirror_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/next_hops.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

class MirrorSender {
  public:
    /// `buffers` are for nothing but copies, so that a slow observer holds back no others; null: there are none.
    MirrorSender(std::uint16_t worker, WorkerCounters& counters, rte_mempool* buffers, const NextHops& next_hops)
        : worker_(worker), counters_(counters), buffers_(buffers), next_hops_(next_hops) {}

    /// The queues are empty between bursts.
    void adopt(const Snapshot& snapshot);

    /// Whether it is worth making a copy: an observer that just took none gets no more for a while.
    [[nodiscard]] bool is_open(std::uint16_t target) const noexcept;
    /// Takes a copy, which has no buffer that others share; does in software what the far side can't.
    void send(const Snapshot& snapshot, const MirrorEntry& mirror, rte_mbuf* copy) noexcept;
    void flush(const Snapshot& snapshot) noexcept;

    void lose(MirrorIndex mirror, CopyLoss loss) noexcept {
        counters_.mirrors[mirror].lost[static_cast<std::size_t>(loss)].add(1);
    }

  private:
    static constexpr std::uint16_t kBurst = 64;

    struct Queue {
        std::uint64_t closed_until = 0;  ///< of the TSC
        std::uint16_t count = 0;
        std::array<rte_mbuf*, kBurst> frames;
        std::array<std::uint32_t, kBurst> lengths;  ///< without what a tunnel puts before them
        std::array<MirrorIndex, kBurst> mirrors;
    };

    void enqueue(const Snapshot& snapshot, const MirrorEntry& mirror, rte_mbuf* copy) noexcept;
    void flush(const Snapshot& snapshot, std::uint16_t target) noexcept;
    /// False, and all are lost: the next hop is not known.
    [[nodiscard]] bool enter_tunnel(const TunnelEntry& tunnel, std::uint32_t vni, Queue& queue) noexcept;
    void lose(Queue& queue, std::uint16_t at, CopyLoss loss) noexcept;

    std::uint16_t worker_;
    WorkerCounters& counters_;
    rte_mempool* buffers_;
    const NextHops& next_hops_;
    std::vector<Queue> queues_;  ///< by place in MirrorTable::targets
};

}  // namespace bulkhead
