// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vswitch/base/cpu_clones.h"
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

/// A pod talks with its own address, and often with one other: then one look-up is enough for all its frames.
bool are_same(const MacKey* keys, std::uint16_t count) noexcept {
    if (keys[0] != keys[count - 1]) return false;
    MacKey other = 0;
    for (std::uint16_t at = 0; at < count; ++at) other |= keys[at] ^ keys[0];
    return other == 0;
}

void find_one(const MacTable& macs, MacKey key, MacValue* found, std::uint16_t count) noexcept {
    std::fill_n(found, count, macs.find(key));
}

}  // namespace

BULKHEAD_CPU_CLONES void find_macs(Batch& batch, const MacTable& macs) noexcept {
    write_keys(batch);
    const MacKey *sources = batch.keys.data(), *destinations = sources + batch.count;
    MacValue *of_sources = batch.found.data(), *of_destinations = of_sources + batch.count;
    if (!are_same(sources, batch.count)) return macs.find_bulk(sources, of_sources, 2UL * batch.count);
    find_one(macs, *sources, of_sources, batch.count);
    if (are_same(destinations, batch.count)) return find_one(macs, *destinations, of_destinations, batch.count);
    macs.find_bulk(destinations, of_destinations, batch.count);
}

}  // namespace bulkhead
