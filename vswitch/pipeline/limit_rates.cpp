// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/limit_rates.h"

#include <rte_cycles.h>

namespace bulkhead {
namespace {

/// Lets the first of these rows pass, as many as the limit has tokens for.
template <typename Units>
void limit(Batch& batch, const Batch::Column<std::uint16_t>& rows, std::uint16_t count, RateLimit& limit, Units units,
           DropReason reason) noexcept {
    if (count == 0) return;
    const auto units_at = [&](std::uint16_t at) { return units(rows[at]); };
    for (std::uint16_t at = limit.take(count, units_at, rte_rdtsc()); at < count; ++at) batch.drop(rows[at], reason);
}

}  // namespace

void limit_received(Batch& batch, PortLimiter& limiter) noexcept {
    if (!limiter.received) return;
    Batch::Column<std::uint16_t> rows;
    std::uint16_t count = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row)) rows[count++] = row;
    limit(
        batch, rows, count, *limiter.received, [&](std::uint16_t row) { return batch.length[row]; },
        DropReason::rx_rate);
}

void limit_flooded(Batch& batch, PortLimiter& limiter) noexcept {
    if (!limiter.flooded) return;
    Batch::Column<std::uint16_t> rows;
    std::uint16_t count = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row) && batch.egress[row] == Batch::kFlood) rows[count++] = row;
    limit(batch, rows, count, *limiter.flooded, [](std::uint16_t) { return 1U; }, DropReason::storm);
}

}  // namespace bulkhead
