// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

void write_keys(Batch& batch) noexcept {
    MacKey* sources = batch.keys.data();
    MacKey* destinations = sources + batch.count;
    if (batch.attachment != kNoAttachment) [[likely]] {
        const MacKey segment = mac_key(batch.segment[0], 0);
        for (std::uint16_t row = 0; row < batch.count; ++row) sources[row] = segment | batch.source[row];
        for (std::uint16_t row = 0; row < batch.count; ++row) destinations[row] = segment | batch.destination[row];
        return;
    }
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        sources[row] = mac_key(batch.segment[row], batch.source[row]);
        destinations[row] = mac_key(batch.segment[row], batch.destination[row]);
    }
}

}  // namespace

void find_macs(Batch& batch, const MacTable& macs) noexcept {
    write_keys(batch);
    macs.find_bulk(batch.keys.data(), batch.found.data(), 2UL * batch.count);
}

}  // namespace bulkhead
