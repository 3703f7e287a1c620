// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/learner.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

void learn(Batch& batch, MacTable& macs, Learner& learner) noexcept {
    Batch::Query& query = batch.query;
    query.count = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row)) [[likely]]
            query.ask(row, mac_key(batch.segment[row], batch.source[row]));
    macs.find_bulk(query.keys.data(), query.found.data(), query.count);
    const std::uint32_t now = macs.now_s();
    for (std::uint16_t at = 0; at < query.count; ++at) {
        const std::uint16_t row = query.rows[at];
        const MacValue value = query.found[at];
        if (value.attachment() == batch.ingress[row]) [[likely]] {
            if (value.seen_s() != now) macs.touch(query.keys[at], value);
        } else if (value.exists() && value.is_static()) {
            batch.drop(row, DropReason::source_mac_owned);
        } else {
            learner.note(query.keys[at], batch.ingress[row]);
        }
    }
}

}  // namespace bulkhead
