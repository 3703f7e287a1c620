// SPDX-License-Identifier: Apache-2.0
// From a plugged device to a running one: queues, buffers, offloads, MTU, address.
#pragma once

#include <cstdint>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

struct rte_mempool;

namespace bulkhead {

struct EthdevSetup {
    std::uint16_t receive_queues = 0;
    std::uint16_t transmit_queues = 0;
    std::uint32_t offloads = 0;  ///< TransmitOffload bits
    bool scatters = false;       ///< a received frame may take several buffers
};

/// Exactly port.queues receive queues (spread by RSS when more than one), a transmit queue for each worker as far as
/// the device has them. Errors have field `/queues`, `/mtu`, `/mac`, `/promiscuous` or `/devargs`; the device is left
/// stopped.
Result<EthdevSetup> start_ethdev(std::uint16_t id, const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                 std::uint16_t workers);

/// Whether the device could be started with that MTU. Errors have field `/mtu`.
Result<> check_ethdev_mtu(std::uint16_t id, std::uint16_t mtu);

/// Changes the MTU of a running device. False: not while it runs, or not as it was set up.
[[nodiscard]] bool change_ethdev_mtu(std::uint16_t id, const EthdevSetup& setup, std::uint16_t mtu,
                                     const rte_mempool* buffers);

}  // namespace bulkhead
