// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rte_mempool.h>

namespace bulkhead::vhost {

/// A guest may chain descriptors into a frame of any size, its whole memory 256 times over, and librte_vhost copies it
/// for as long as the pool has buffers: one guest could empty the pool for all and hold a worker for a tenth of a
/// second. So it draws from here: a pool in front of the real one that hands out only so many buffers a burst. The
/// buffers are the real pool's and return to it. Past the allowance librte_vhost drops the frame it is at.
///
/// Used by one worker at a time.
class BufferAllowance {
  public:
    /// Room for bursts in which every frame is of `largest_frame` bytes.
    BufferAllowance(rte_mempool* buffers, std::uint32_t largest_frame) noexcept;
    BufferAllowance(const BufferAllowance&) = delete;
    BufferAllowance& operator=(const BufferAllowance&) = delete;

    /// Whether DPDK's table of pool drivers had a place for ours; without it no allowance may be made.
    [[nodiscard]] static bool available() { return ops_index() >= 0; }

    /// The pool to draw a burst of `frames` from, until the next call.
    [[nodiscard]] rte_mempool* for_burst(std::uint16_t frames) noexcept {
        left_ = frames * buffers_per_frame_;
        return &front_;
    }

  private:
    static int draw(rte_mempool* front, void** buffers, unsigned count);
    static int ops_index();

    rte_mempool front_{};  ///< no objects and no cache of its own; only its `dequeue` is ever called
    rte_mempool* const real_;
    const std::uint32_t buffers_per_frame_;
    std::uint32_t left_ = 0;
};

}  // namespace bulkhead::vhost
