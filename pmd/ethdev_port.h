// SPDX-License-Identifier: Apache-2.0
// A port on any DPDK Ethernet device: a NIC, or a virtual one such as net_pcap, net_af_packet, net_af_xdp.
#pragma once

#include <cstdint>
#include <memory>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"
#include "vswitch/port_io.h"

struct rte_mempool;

namespace bulkhead {

/// Plugs and starts the device of `port` (it must be an EthdevDevice) with `mtu` layer-3 bytes. Transmit queue = worker
/// modulo transmit_queues(); where workers share one, the port locks it. Polled only: no wake_fd. The link is followed
/// by interrupt where the device has one, else when state() is asked. Errors name the port and the field.
Result<std::unique_ptr<PortIo>> open_ethdev_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                                 std::uint16_t workers, PortEventSink events);

}  // namespace bulkhead
