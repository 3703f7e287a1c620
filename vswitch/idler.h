// SPDX-License-Identifier: Apache-2.0
// What a worker does when there is nothing to do: it spins a little, then sleeps in epoll until a port has frames,
// control calls, or — where a port can't wake it — a short time has passed.
//
// Threads: the worker's alone, but wake(), which any thread may call.
#pragma once

#include <cstdint>
#include <vector>

#include "vswitch/model/snapshot.h"
#include "vswitch/switch.h"

namespace bulkhead {

class Idler {
  public:
    Idler(IdleMode mode, std::uint32_t max_sleep_us);
    ~Idler();
    Idler(const Idler&) = delete;
    Idler& operator=(const Idler&) = delete;

    /// The snapshot changed: its ports' descriptors are taken up before the next sleep.
    void forget_ports() noexcept { known_ = false; }

    /// After a round that moved nothing: true when it is time to sleep.
    [[nodiscard]] bool tired(std::uint64_t now_cycles) noexcept;
    void reset() noexcept { idle_since_ = 0; }

    /// Asks every queue to signal. False when one has frames already: stay awake, and disarm.
    [[nodiscard]] bool arm(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept;
    /// Sleeps. The worker is no reader of the snapshot meanwhile, so ports may go away under it. False: nobody called,
    /// it is only time to look at the mute queues; all others stay armed.
    [[nodiscard]] bool wait() noexcept;
    /// Queues whose port can't wake a worker.
    [[nodiscard]] const std::vector<ReceiveQueue>& mute_queues() const noexcept { return mute_queues_; }
    /// Back to polling, by the snapshot that is in force after the sleep.
    static void disarm(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept;

    void wake() noexcept;

  private:
    /// Where a port can't wake it, a worker sleeps no longer than it has been idle: a frame waits in proportion to the
    /// silence before it, and a long silence costs few wakings.
    [[nodiscard]] std::uint64_t sleep_us() const noexcept;
    [[nodiscard]] bool can_sleep_long() const noexcept { return has_bell_ && mute_queues_.empty(); }
    void take_up(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept;

    IdleMode mode_;
    std::uint32_t max_sleep_us_;
    std::uint64_t cycles_per_us_;
    std::uint64_t idle_since_ = 0;
    std::uint64_t armed_at_ = 0;
    bool known_ = false;
    bool has_bell_ = false;  ///< wake() reaches the sleeper
    std::vector<ReceiveQueue> mute_queues_;
    int epoll_ = -1;
    int bell_ = -1;  ///< eventfd
};

}  // namespace bulkhead
