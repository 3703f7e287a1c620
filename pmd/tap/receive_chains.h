// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include <rte_lcore.h>

#include "pmd/tap/receive_chain.h"

namespace bulkhead {

/// A chain for each worker, which all TAP queues that it reads, one after the other, share: with one for each queue, a
/// thousand idle pods would hold 33,000 buffers.
class ReceiveChains {
  public:
    /// Those of a pool; made when somebody first wants them, gone with their buffers when nobody holds them. Control
    /// thread.
    static std::shared_ptr<ReceiveChains> of(rte_mempool* buffers);

    /// The calling thread's: an EAL thread's, or that of the one other thread that there may be.
    [[nodiscard]] ReceiveChain& mine() noexcept { return *chains_[std::min<unsigned>(rte_lcore_id(), RTE_MAX_LCORE)]; }

  private:
    explicit ReceiveChains(rte_mempool* buffers);

    std::vector<std::unique_ptr<ReceiveChain>> chains_;  ///< by lcore; null where there is none
};

}  // namespace bulkhead
