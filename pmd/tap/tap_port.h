// SPDX-License-Identifier: Apache-2.0
// A port on a TAP device in a pod's network namespace. One virtio-net header travels with each frame, so that checksums
// and TCP segmentation cross the switch undone between pods.
#pragma once

#include <cstdint>
#include <memory>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"
#include "vswitch/port_io.h"

struct rte_mempool;

namespace bulkhead {

/// Opens the TAP of `port` (its device must be a TapDevice) with `mtu` layer-3 bytes and port.queues queues each way;
/// transmit queue = worker modulo queues, and needs no lock. All TAPs together hold buffers for
/// one frame of 64 KiB a worker.
/// `release()` deletes the device; without it the device stays in the pod for the next start. A device that the pod
/// deletes is noticed, and told to `events`, by receive() and state(), one that it sets down or that loses its
/// namespace by state() alone. Errors name the port and the field.
Result<std::unique_ptr<PortIo>> open_tap_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                              std::uint16_t workers, PortEventSink events);

}  // namespace bulkhead
