// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// The eventfds by which librte_vhost interrupts a guest, one a ring. The guest holds them too: it can fill the counter
/// (eventfd(2): to 2^64 - 2) and make the descriptor blocking again, and a worker that then writes to it waits in the
/// kernel for as long as the guest likes. No guest that behaves has a full counter; so who has one is hung up on, and
/// its worker is let go by reading the counter.
///
/// Any thread.
class CallSet {
  public:
    explicit CallSet(std::uint16_t rings) : calls_(rings) {}

    void watch(std::uint16_t ring, int call_fd);  ///< a copy of it; -1: there is none
    void forget();                                ///< all of them
    [[nodiscard]] bool is_jammed() const;
    /// Takes what has been counted: who waited to write goes on, if nobody fills it again at once.
    void drain() const;

  private:
    mutable std::mutex mutex_;
    std::vector<UniqueFd> calls_;
};

}  // namespace bulkhead::vhost
