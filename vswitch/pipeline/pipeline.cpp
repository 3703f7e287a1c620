// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/pipeline.h"

#include "vswitch/pipeline/account.h"
#include "vswitch/pipeline/deliver.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

Pipeline::Pipeline(std::uint16_t worker, MacTable& macs, WorkerCounters& counters, rte_mempool* buffers)
    : macs_(macs), counters_(counters), buffers_(buffers), learner_(macs), transmitter_(worker, counters, buffers) {}

void Pipeline::adopt(const Snapshot& snapshot) {
    learner_.forget();
    transmitter_.adopt(snapshot);
}

void Pipeline::run(Batch& batch, const Snapshot& snapshot) noexcept {
    parse(batch);
    assign_segment(batch, snapshot, buffers_);  // (port, VLAN) → attachment → segment
    account_received(batch, counters_);
    find_macs(batch, macs_);
    learn(batch, macs_, learner_);  // new or moved sources are noted; nothing is written per frame
    lookup(batch, snapshot);        // unicast, flood, or drop
    replicate(batch, snapshot, transmitter_, counters_, buffers_);  // split horizon, never back, no payload copies
    sweep_dropped(batch, counters_);
    transmitter_.flush(snapshot);
    learner_.settle(snapshot);
}

}  // namespace bulkhead
