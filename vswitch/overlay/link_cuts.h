// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>

#include "vswitch/base/ids.h"

namespace bulkhead {

/// Which tunnels carry nothing of a segment for the time being, because they would close a ring. Found out, not
/// configured: it lives beside the snapshots, like next hops.
///
/// Threads: written by control; read by any.
class LinkCuts {
  public:
    [[nodiscard]] bool is_cut(AttachmentIndex link) const noexcept {
        return cut_[link].load(std::memory_order_relaxed);
    }
    void set(AttachmentIndex link, bool is_cut) noexcept { cut_[link].store(is_cut, std::memory_order_relaxed); }

  private:
    std::array<std::atomic<bool>, kMaxAttachments> cut_{};
};

}  // namespace bulkhead
