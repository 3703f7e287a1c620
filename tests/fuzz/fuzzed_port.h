// SPDX-License-Identifier: Apache-2.0
// A port whose frames a fuzz target makes, and takes back. A read past the end of a received buffer's octets is seen by
// AddressSanitizer: what is behind them is poisoned as long as they are out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/port_io.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead::fuzz {

class FuzzedPort : public PortIo {
  public:
    /// `buffers` is used for what is received only: its poison must not be in the way of buffers that the switch fills.
    FuzzedPort(rte_mempool* buffers, std::string mac, std::uint32_t offloads);
    ~FuzzedPort() override;

    /// One frame, its first `first` octets in one buffer, the others in buffers of at most `piece`. `mark`: a NIC's; 0:
    /// none.
    void inject(std::span<const std::uint8_t> frame, std::size_t first, std::size_t piece, std::uint32_t mark = 0);
    [[nodiscard]] std::vector<std::vector<std::uint8_t>> take() { return std::exchange(sent_, {}); }
    [[nodiscard]] bool has_incoming() const { return !incoming_.empty(); }

    std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return 1; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return 1; }
    [[nodiscard]] PortState state() const override { return {.link_up = true, .mac = mac_}; }

  private:
    rte_mempool* buffers_;
    std::string mac_;
    std::vector<rte_mbuf*> incoming_;
    std::vector<std::vector<std::uint8_t>> sent_;
};

}  // namespace bulkhead::fuzz
