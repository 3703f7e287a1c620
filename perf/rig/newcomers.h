// SPDX-License-Identifier: Apache-2.0
// A port behind which stations turn up one after another at a given rate, each with one frame to a station that is
// known. The rate does not depend on what becomes of the frames: who falls behind finds those due waiting.
//
// Threads: receive() by one worker, all else by control.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <semaphore>

#include <rte_cycles.h>

#include "perf/rig/memory_port.h"
#include "perf/rig/random.h"
#include "perf/rig/source.h"
#include "perf/rig/station.h"

namespace bulkhead::rig {

/// Stations first … first + count - 1, each once.
struct Parade {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

class Newcomers : public MemoryPort {
  public:
    static constexpr std::uint64_t kPerSecond = 1'000'000;

    Newcomers(std::uint16_t workers, rte_mempool* buffers, std::uint8_t side, std::uint8_t known_side,
              std::uint32_t known)
        : MemoryPort(workers),
          buffers_(buffers),
          side_(side),
          known_side_(known_side),
          known_(known),
          random_(side + 1ULL),
          frames_per_cycle_((kPerSecond << 32) / rte_get_tsc_hz()) {}

    /// Only when no parade is under way.
    void start(Parade parade) noexcept {
        ordered_ = parade;
        is_ordered_.store(true, std::memory_order_release);
    }
    /// Until the last frame of the parade was forwarded. False: it took too long.
    [[nodiscard]] bool wait_until_over(std::chrono::seconds longest) { return over_.try_acquire_for(longest); }

    std::uint16_t receive(std::uint16_t /*queue*/, rte_mbuf** frames, std::uint16_t count) noexcept override {
        if (!is_ordered_.load(std::memory_order_acquire)) return 0;
        const std::uint64_t now = rte_rdtsc();
        if (begun_at_ == 0) begin(now);
        if (sent_ == parade_.count) return end();
        const std::uint64_t due = std::min<std::uint64_t>(parade_.count, (now - begun_at_) * frames_per_cycle_ >> 32);
        count = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, due - sent_));
        count = hand_out<Frame<false>>(buffers_, frames, count, [this] { return next(); });
        received_.frames.add(count);
        return count;
    }

  private:
    void begin(std::uint64_t now) noexcept {
        begun_at_ = now;
        parade_ = ordered_;
        sent_ = 0;
    }
    /// At the call after the last frame: by then the worker has learned from it.
    std::uint16_t end() noexcept {
        begun_at_ = 0;
        is_ordered_.store(false, std::memory_order_relaxed);
        over_.release();
        return 0;
    }
    Header next() noexcept {
        return {station_mac(known_side_, 0, below(random_.next(), known_)),
                station_mac(side_, 0, parade_.first + sent_++)};
    }

    rte_mempool* buffers_;
    std::uint8_t side_, known_side_;
    std::uint32_t known_;
    Random random_;
    std::uint64_t frames_per_cycle_;       ///< times 2^32
    Parade ordered_;                       ///< written by control while is_ordered_ is false
    std::atomic<bool> is_ordered_{false};  ///< set by control, cleared by the worker
    std::binary_semaphore over_{0};

    // The worker's.
    Parade parade_;
    std::uint64_t begun_at_ = 0;  ///< TSC; 0: not begun
    std::uint32_t sent_ = 0;
};

}  // namespace bulkhead::rig
