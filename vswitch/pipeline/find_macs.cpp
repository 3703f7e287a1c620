// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

void find_macs(Batch& batch, const MacTable& macs) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row)
        batch.keys[row] = mac_key(batch.segment[row], batch.source[row]);
    MacKey* destinations = batch.keys.data() + batch.count;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        destinations[row] = mac_key(batch.segment[row], batch.destination[row]);
    macs.find_bulk(batch.keys.data(), batch.found.data(), 2UL * batch.count);
}

}  // namespace bulkhead
