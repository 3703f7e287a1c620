// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/uio.h>
#include <vector>

#include "pmd/tap/vnet_header.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

/// Buffers that lie ready for the next frame from a TAP, however long it is: readv scatters over all of them, the frame
/// leaves with those it filled, and only these are replaced. One thread.
class alignas(64) ReceiveChain {
  public:
    explicit ReceiveChain(rte_mempool* buffers);
    ReceiveChain(ReceiveChain&&) noexcept = default;
    ReceiveChain& operator=(ReceiveChain&&) = delete;
    ReceiveChain(const ReceiveChain&) = delete;
    ~ReceiveChain();

    /// Replaces what the last frame took. False when the pool is empty: do not read now.
    [[nodiscard]] bool refill() noexcept;
    /// The virtio-net header, then the buffers; `header` is filled by the read.
    [[nodiscard]] const std::vector<iovec>& vectors() const noexcept { return vectors_; }
    /// Takes out the frame that a read of `bytes` (header included) left. One that was longer than any frame, or
    /// shorter than its header, comes out empty: the kernel sends none.
    [[nodiscard]] rte_mbuf* detach(std::size_t bytes) noexcept;
    [[nodiscard]] const VnetHeader& header() const noexcept { return *header_; }

  private:
    rte_mempool* buffers_;
    std::uint32_t room_;  ///< bytes one buffer takes
    std::unique_ptr<VnetHeader> header_;
    std::vector<rte_mbuf*> segments_;
    std::vector<iovec> vectors_;
    unsigned missing_;  ///< the first so many segments are to be replaced
};

}  // namespace bulkhead
