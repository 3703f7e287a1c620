// SPDX-License-Identifier: Apache-2.0
// librte_vhost serves sockets that it makes or connects to by their path. Here it gets one end of a connection whose
// other end is ours, and is asked for nothing else: so that it meets no guest's socket, waits for none, and knows
// nothing of a port without a guest. It speaks of devices by number (vid) and tells everything to plain functions,
// which find the port here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// What librte_vhost reports of one connection. Called on its thread or on the one that opens and closes connections,
/// one call at a time, some with its ring locks held: no call may wait for a worker but device_stopped, nor call
/// rte_vhost_driver_*.
class DeviceListener {
  public:
    virtual void message_begins() = 0;
    virtual void device_started(int vid) = 0;
    virtual void device_stopped(int vid) = 0;  ///< after it returns the device's memory may be gone
    virtual void ring_changed(int vid, std::uint16_t ring, bool enabled) = 0;

  protected:
    ~DeviceListener() = default;
};

class LibraryConnection {
  public:
    /// `refused`: features that librte_vhost would offer and the guest shall not have.
    static Result<std::unique_ptr<LibraryConnection>> open(std::uint64_t refused, DeviceListener& listener);
    /// No call to the listener is under way or follows. The device, if it still ran, was stopped.
    ~LibraryConnection();
    LibraryConnection(const LibraryConnection&) = delete;
    LibraryConnection& operator=(const LibraryConnection&) = delete;

    [[nodiscard]] UniqueFd take_socket() { return std::move(socket_); }

  private:
    LibraryConnection() = default;
    Result<> connect(std::uint64_t refused);

    std::string path_;  ///< the name that librte_vhost knows it by; the file is gone
    UniqueFd socket_;
    bool registered_ = false;
};

}  // namespace bulkhead::vhost
