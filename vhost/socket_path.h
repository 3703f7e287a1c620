// SPDX-License-Identifier: Apache-2.0
// A port's socket as a file.
#pragma once

#include <string>

#include "vhost/socket_place.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead::vhost {

/// Whether the path can be used in this mode. In server mode it removes a socket that nobody listens on any more, and
/// nothing else: neither another kind of file nor a socket in use.
[[nodiscard]] Result<> prepare_socket_path(const VhostUserDevice& device, const SocketPlace& place);

/// Gives the socket we just made its owner and mode. Until then it has the process's umask and belongs to us.
[[nodiscard]] Result<> set_socket_access(const VhostUserDevice& device, const SocketPlace& place);

/// For people: what a port without a guest waits for, by what there is at its path now.
[[nodiscard]] std::string awaited_at(const VhostUserDevice& device, const SocketPlace& place);

/// What `errno` says of a socket that could not be made.
[[nodiscard]] std::unexpected<Error> socket_failure(const char* what, const std::string& path);

}  // namespace bulkhead::vhost
