// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

#include "vswitch/base/counters.h"

namespace bulkhead::vhost {

/// What one worker has moved through one virtqueue, since the port was opened.
struct RingCounters {
    Counter frames;
    Counter bytes;
    Counter full;  ///< how often a burst ended because the guest had no buffers there

    void count(rte_mbuf* const* moved, std::uint16_t number) noexcept {
        std::uint64_t length = 0;
        for (std::uint16_t at = 0; at < number; ++at) length += moved[at]->pkt_len;
        frames.add(number);
        bytes.add(length);
    }
};

}  // namespace bulkhead::vhost
