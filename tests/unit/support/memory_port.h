// SPDX-License-Identifier: Apache-2.0
// A port in memory: what a test injects is received, what the switch transmits is kept for the test to look at.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <rte_mbuf.h>

#include "tests/unit/support/test_buffers.h"
#include "vswitch/port_io.h"

namespace bulkhead::test {

using Bytes = std::vector<std::uint8_t>;

class MemoryPort : public PortIo {
  public:
    explicit MemoryPort(rte_mempool* buffers, std::uint32_t offloads = kOffloadMultiSegment) : buffers_(buffers) {
        offloads_ = offloads;
    }
    ~MemoryPort() override {
        for (rte_mbuf* frame : incoming_) rte_pktmbuf_free(frame);
    }

    void inject(rte_mbuf* frame) { incoming_.push_back(frame); }
    void inject(const Bytes& bytes) { inject(make(bytes)); }
    [[nodiscard]] rte_mbuf* make(const Bytes& bytes) const;

    /// What was transmitted since the last call, as bytes and as transmit flags.
    struct Sent {
        Bytes bytes;
        std::uint64_t flags = 0;
        std::uint16_t segment_size = 0;
        const void* payload = nullptr;  ///< where the last buffer's data lies: tells sharing from copying
    };
    [[nodiscard]] std::vector<Sent> take() { return std::exchange(sent_, {}); }
    [[nodiscard]] std::vector<Bytes> take_bytes();

    void set_offloads(std::uint32_t offloads) { offloads_ = offloads; }
    /// From now on at most `room` frames are taken, then `reason`.
    void refuse_after(std::uint16_t room, DropReason reason) {
        room_ = room;
        refusal_ = reason;
    }
    /// Frames of that length are never taken: tx_error.
    void refuse_length(std::uint32_t length) { refused_length_ = length; }
    void set_queues(std::uint16_t queues) { queues_ = queues; }
    void set_mac(std::string mac) { mac_ = std::move(mac); }
    void set_flows(FlowDevice* flows) { flows_ = flows; }

    std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    [[nodiscard]] FlowDevice* flows() noexcept override { return flows_; }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return queues_; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return queues_; }
    [[nodiscard]] PortState state() const override { return {.link_up = true, .mac = mac_}; }

  private:
    rte_mempool* buffers_;
    std::deque<rte_mbuf*> incoming_;
    std::vector<Sent> sent_;
    std::uint16_t queues_ = 1;
    std::string mac_;
    FlowDevice* flows_ = nullptr;
    std::uint32_t refused_length_ = UINT32_MAX;
    std::uint16_t room_ = UINT16_MAX;
    DropReason refusal_ = DropReason::none;
};

}  // namespace bulkhead::test
