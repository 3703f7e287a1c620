// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rte_spinlock.h>

namespace bulkhead::vhost {

/// Keeps a device alive while a worker is inside librte_vhost with it. A worker enters its queue's guard for one burst;
/// the control side first withdraws the device (so that nobody enters for it again) and then passes every guard:
/// whoever was inside has left. A guard is one worker's own, so that taking it costs an uncontended exchange; the
/// control side waits a burst at most.
class alignas(64) QueueGuard {
  public:
    [[nodiscard]] bool try_enter() noexcept { return rte_spinlock_trylock(&lock_) != 0; }
    void enter() noexcept { rte_spinlock_lock(&lock_); }
    void leave() noexcept { rte_spinlock_unlock(&lock_); }

    /// Whether nobody is inside who was when it was called.
    [[nodiscard]] bool try_pass() noexcept {
        if (!try_enter()) return false;
        leave();
        return true;
    }

  private:
    rte_spinlock_t lock_ = RTE_SPINLOCK_INITIALIZER;
};

}  // namespace bulkhead::vhost
