// SPDX-License-Identifier: Apache-2.0
// vhost-user ports: a guest's virtio-net device whose rings we serve ourselves (virtio 1.1 section 5.1; the vhost-user
// protocol of QEMU's docs/interop/vhost-user.rst), by librte_vhost.
#pragma once

#include <cstdint>
#include <memory>

#include "vhost/relay/relay.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"
#include "vswitch/port_io.h"

struct rte_mempool;

namespace bulkhead {

/// Opens a port whose device is a VhostUserDevice. The EAL must be up. It succeeds without a guest: the link is down
/// and transmit() answers `guest_not_ready` until one comes; the guest may go and come as often as it likes.
///
///  - client mode: the guest owns the socket. Its absence is no error; its folder is watched, and a refusal tried
///  again.
///  - server mode: we make the socket in a folder that exists, with the port's owner and mode, and replace one that a
///    dead process left. One guest at a time: a second connection is closed.
///
/// `mtu`: layer-3 bytes, told in state(). `buffers`: where received frames and header copies come from; its data room
/// bounds one segment of a received frame. `workers` ≥ 1: how many transmit queues there are, one a worker, so that
/// none waits for another; they share the guest's rings. `relay`, one for all ports, serves the socket. `sink` is
/// called on its thread and on librte_vhost's.
///
/// Errors: `/path`, `/owner_uid`, `/owner_gid` or `/socket_mode` name the field; `in_use` when somebody listens on the
/// path; `limit` or `device_failed` when librte_vhost takes no more.
///
/// The destructor closes the connection.
[[nodiscard]] Result<std::unique_ptr<PortIo>> open_vhost_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                                              std::uint16_t workers,
                                                              std::shared_ptr<vhost::Relay> relay, PortEventSink sink);

}  // namespace bulkhead
