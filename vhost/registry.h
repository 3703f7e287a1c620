// SPDX-License-Identifier: Apache-2.0
// librte_vhost speaks of devices by number (vid) and tells everything to plain functions; here they find the port.
#pragma once

#include <cstdint>
#include <string>

#include "vswitch/base/result.h"

namespace bulkhead::vhost {

/// What librte_vhost reports of one socket. Called on its threads, one call at a time, some with its ring locks held:
/// no call may wait for a worker but device_stopped, nor call rte_vhost_driver_*.
class SocketListener {
  public:
    virtual bool connection_opened(int vid) = 0;  ///< false: close it
    virtual void connection_closed(int vid) = 0;
    virtual void device_started(int vid) = 0;
    virtual void device_stopped(int vid) = 0;  ///< after it returns the device's memory may be gone
    virtual void ring_changed(int vid, std::uint16_t ring, bool enabled) = 0;
    [[nodiscard]] virtual std::uint16_t queue_pairs() const = 0;

  protected:
    ~SocketListener() = default;
};

/// Registers the socket and starts serving it. `server`: we bind the path; otherwise we connect to it, again and again.
[[nodiscard]] Result<> register_socket(const std::string& path, bool server, SocketListener& listener);

/// Closes the socket and its connections. No call to the listener is under way or follows.
void unregister_socket(const std::string& path);

}  // namespace bulkhead::vhost
