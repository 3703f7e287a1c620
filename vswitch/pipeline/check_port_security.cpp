// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <rte_mbuf.h>

#include "vswitch/pipeline/stages.h"
#include "vswitch/security/check_station.h"

namespace bulkhead {
namespace {

DropReason check(const rte_mbuf* frame, const StationRules& rules) noexcept {
    std::array<std::uint8_t, kMostHeaders> scratch;
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len, scratch.size()));
    const auto* octets = static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch.data()));
    return check_station(rules, {octets, length});
}

}  // namespace

void check_port_security(Batch& batch, const Snapshot& snapshot) noexcept {
    if (batch.attachment != kNoAttachment && !snapshot.attachments[batch.attachment].is_secured) return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row) || !snapshot.attachments[batch.ingress[row]].is_secured) continue;
        const DropReason verdict = check(batch.frames[row], *snapshot.station_rules[batch.ingress[row]]);
        if (verdict != DropReason::none) batch.drop(row, verdict);
    }
}

}  // namespace bulkhead
