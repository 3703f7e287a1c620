// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/receive_chains.h"

#include <map>

namespace bulkhead {

ReceiveChains::ReceiveChains(rte_mempool* buffers) : chains_(RTE_MAX_LCORE + 1) {
    unsigned lcore = 0;
    RTE_LCORE_FOREACH(lcore) {
        chains_[lcore] = std::make_unique<ReceiveChain>(buffers);
    }
    chains_[RTE_MAX_LCORE] = std::make_unique<ReceiveChain>(buffers);
}

std::shared_ptr<ReceiveChains> ReceiveChains::of(rte_mempool* buffers) {
    static std::map<rte_mempool*, std::weak_ptr<ReceiveChains>> known;
    std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
    auto& entry = known[buffers];
    auto chains = entry.lock();
    if (!chains) entry = chains = std::shared_ptr<ReceiveChains>(new ReceiveChains(buffers));
    return chains;
}

}  // namespace bulkhead
