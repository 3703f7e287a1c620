// SPDX-License-Identifier: Apache-2.0
// A port that always has frames to receive: fresh buffers from the pool, a copy of one frame in each, as a NIC or
// net_pcap would hand them out; whoever transmits them gives the buffers back.
//
// Threads: receive() by one worker; introduce(), talk() and the waiting by control.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <semaphore>
#include <utility>

#include "perf/rig/frame.h"
#include "perf/rig/memory_port.h"

namespace bulkhead::rig {

/// Receives `count` frames with the headers that `next` makes; none when the pool is empty.
template <typename Frame, typename Next>
std::uint16_t hand_out(rte_mempool* buffers, rte_mbuf** frames, std::uint16_t count, Next next) noexcept {
    static constexpr Frame kFrame;
    if (count == 0 || rte_pktmbuf_alloc_bulk(buffers, frames, count) != 0) return 0;
    for (std::uint16_t at = 0; at < count; ++at) kFrame.write(frames[at], next());
    return count;
}

/// A source as control sees it. Silent until told otherwise.
class Source : public MemoryPort {
  public:
    using MemoryPort::MemoryPort;

    /// Every station says something once; then there is silence.
    void introduce() noexcept { phase_.store(Phase::introductions, std::memory_order_relaxed); }
    /// Until the last one has, and what it said was forwarded. False: it took too long.
    [[nodiscard]] bool wait_until_introduced(std::chrono::seconds longest) {
        return introduced_.try_acquire_for(longest);
    }
    void talk() noexcept { phase_.store(Phase::talk, std::memory_order_relaxed); }

  protected:
    enum class Phase : std::uint8_t { silence, introductions, talk };
    std::atomic<Phase> phase_{Phase::silence};  ///< written by control, and by the worker when introductions end
    std::binary_semaphore introduced_{0};
};

template <typename Traffic>
class TrafficSource : public Source {
  public:
    TrafficSource(std::uint16_t workers, rte_mempool* buffers, Traffic traffic)
        : Source(workers), buffers_(buffers), traffic_(std::move(traffic)) {}

    std::uint16_t receive(std::uint16_t /*queue*/, rte_mbuf** frames, std::uint16_t count) noexcept override {
        const Phase phase = phase_.load(std::memory_order_relaxed);
        if (phase == Phase::silence) return 0;
        if (phase == Phase::introductions) return introduce_some(frames, count);
        count = hand_out<typename Traffic::Frame>(buffers_, frames, count, [this] { return traffic_.next(); });
        received_.frames.add(count);
        return count;
    }

  private:
    std::uint16_t introduce_some(rte_mbuf** frames, std::uint16_t count) noexcept {
        count = static_cast<std::uint16_t>(std::min<std::uint32_t>(count, traffic_.stations() - introductions_));
        if (count == 0) {
            // Said at the next call only: the worker has learned from the last burst when it comes back for more.
            introductions_ = 0;
            phase_.store(Phase::silence, std::memory_order_relaxed);
            introduced_.release();
            return 0;
        }
        count = hand_out<typename Traffic::Frame>(buffers_, frames, count,
                                                  [this] { return traffic_.introduction(introductions_++); });
        received_.frames.add(count);
        return count;
    }

    rte_mempool* buffers_;
    Traffic traffic_;
    std::uint32_t introductions_ = 0;
};

}  // namespace bulkhead::rig
