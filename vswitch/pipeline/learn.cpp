// SPDX-License-Identifier: Apache-2.0
#include <rte_cycles.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/limits/port_limiter.h"
#include "vswitch/pipeline/learner.h"
#include "vswitch/pipeline/source_fate.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

/// Every source is known where it came from, and was seen within this second already.
bool are_known(const Batch& batch, std::uint32_t now) noexcept {
    std::uint64_t other = 0;
    if (batch.attachment != kNoAttachment) {
        const MacValue known(batch.attachment, false, now);
        for (std::uint16_t row = 0; row < batch.count; ++row) other |= batch.source_entry(row).difference(known);
    } else {
        for (std::uint16_t row = 0; row < batch.count; ++row)
            other |= batch.source_entry(row).difference(MacValue(batch.ingress[row], false, now));
    }
    return other == 0;
}

/// Those that move within one burst all may if one may: none of them is known to have moved yet.
bool may_move_to(const Snapshot& snapshot, AttachmentIndex attachment) noexcept {
    const PortLimiter* const limiter = snapshot.ports[snapshot.attachments[attachment].port].limiter.get();
    return limiter == nullptr || !limiter->mac_moves || limiter->mac_moves->has_tokens(rte_rdtsc());
}

}  // namespace

BULKHEAD_CPU_CLONES void learn(Batch& batch, const Snapshot& snapshot, MacTable& macs, Learner& learner) noexcept {
    const std::uint32_t now = macs.now_s();
    if (are_known(batch, now)) [[likely]]
        return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const MacValue value = batch.source_entry(row);
        if (value.difference(MacValue(batch.ingress[row], false, now)) == 0) [[likely]]
            continue;
        if (!batch.alive(row)) continue;
        switch (source_fate(value, batch.ingress[row], snapshot)) {
            case SourceFate::seen:
                macs.touch(batch.source_key(row), value);
                break;
            case SourceFate::stays:
                break;
            case SourceFate::owned:
                batch.drop(row, DropReason::source_mac_owned);
                break;
            case SourceFate::learned:
                if (value.exists() && !may_move_to(snapshot, batch.ingress[row])) [[unlikely]]
                    batch.drop(row, DropReason::mac_move_limit);
                learner.note(batch.source_key(row), batch.ingress[row]);
        }
    }
}

}  // namespace bulkhead
