// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "vswitch/base/result.h"

namespace bulkhead::vhost {

/// The descriptors a sleeping worker waits on, one a receive queue, the same for the life of the port though the
/// guest's kick descriptors come and go: an epoll instance each, holding a copy of the kick descriptor and the port's
/// own bell.
///
/// A copy, because the guest holds the same open file: a descriptor that librte_vhost closes would stay in the set and
/// could not be taken out. Edge-triggered, so that a worker consumes a signal by looking at its set and never touches a
/// kick descriptor, which librte_vhost's thread may be replacing at that moment.
///
/// Threads: fd() and consume() are the worker's; the rest is called by librte_vhost, one call at a time.
class WakeSet {
  public:
    static Result<WakeSet> create(std::uint16_t queues);
    WakeSet(WakeSet&& other) noexcept;
    WakeSet& operator=(WakeSet&&) = delete;
    ~WakeSet();

    [[nodiscard]] int fd(std::uint16_t queue) const noexcept { return queues_[queue].set; }
    void consume(std::uint16_t queue) noexcept;

    /// Takes a copy. False: this guest will wake nobody, because it does not kick (kick_fd < 0), or because its
    /// descriptor is none to wait on, or there is none left.
    [[nodiscard]] bool watch(std::uint16_t queue, int kick_fd);
    void forget(std::uint16_t queue);
    void ring() noexcept;  ///< wakes every queue: the guest came or went

  private:
    struct Queue {
        int set = -1;
        int kick = -1;
    };
    WakeSet() = default;

    int bell_ = -1;
    std::vector<Queue> queues_;
};

}  // namespace bulkhead::vhost
