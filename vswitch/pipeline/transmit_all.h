// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vswitch/port_io.h"

struct rte_mbuf;

namespace bulkhead {

/// Offers frames to a port until it has taken or refused each. `sent(first, end)` hears of those that it took; what it
/// refused is given to `refused(at, reason)`, whose frame it is then.
template <typename Sent, typename Refused>
void transmit_all(PortIo& io, std::uint16_t queue, rte_mbuf** frames, std::uint16_t count, Sent sent,
                  Refused refused) noexcept {
    std::uint16_t done = 0;
    while (done < count) {
        const TransmitResult result = io.transmit(queue, frames + done, static_cast<std::uint16_t>(count - done));
        const auto end = static_cast<std::uint16_t>(done + result.taken);
        sent(done, end);
        done = end;
        if (done == count) break;
        // tx_error speaks of one frame: it goes, those behind it get their chance. Every other reason stops them all.
        const std::uint16_t last = result.reason == DropReason::tx_error ? static_cast<std::uint16_t>(done + 1) : count;
        for (; done < last; ++done) refused(done, result.reason);
    }
}

}  // namespace bulkhead
