// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <rte_mbuf.h>

#include "vswitch/port_io.h"

namespace bulkhead::perf {

/// Takes every frame and lets go of its reference, but for the last one: the frame stays the benchmark's. Copies of
/// mirrors it frees.
class SinkPort : public PortIo {
  public:
    std::uint16_t receive(std::uint16_t, rte_mbuf**, std::uint16_t) noexcept override { return 0; }
    TransmitResult transmit(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept override {
        if (refuses) return {0, DropReason::tx_queue_full};
        for (std::uint16_t at = 0; at < count; ++at)
            if (frames[at]->pool == copies && copies != nullptr)
                rte_pktmbuf_free(frames[at]);
            else if (rte_mbuf_refcnt_read(frames[at]) > 1)
                rte_mbuf_refcnt_update(frames[at], -1);
        return {count, DropReason::none};
    }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return 1; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return 1; }
    [[nodiscard]] PortState state() const override {
        PortState state{.link_up = true};
        state.mac = mac;
        return state;
    }

    bool refuses = false;
    rte_mempool* copies = nullptr;  ///< whose frames are copies
    std::string mac;                ///< the device's, where something asks for it
};

}  // namespace bulkhead::perf
