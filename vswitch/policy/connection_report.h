// SPDX-License-Identifier: Apache-2.0
// Connections as control lists and flushes them, by the names that users gave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/policy/connection.h"

namespace bulkhead {

/// What is not set matches every one.
struct ConnectionFilter {
    std::optional<std::string> segment;
    std::optional<std::string> port;       ///< by which its first frame came in
    std::optional<IpPrefix> address;       ///< of either end; its host part is of no meaning
    std::optional<std::uint8_t> protocol;  ///< of IP
    std::optional<ConnectionState> state;
};

/// As who opened it sees it.
struct ConnectionInfo {
    std::size_t place = 0;  ///< in the table, which it keeps
    std::string segment;
    std::uint8_t protocol = 0;
    IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;  ///< of an ICMP query its identifier and its type
    ConnectionState state = ConnectionState::fresh;
    std::uint32_t idle_s = 0, expires_in_s = 0;
    FramePlace opened_by;  ///< a port or a tunnel
    std::string rule;      ///< that allows it; empty: the rules have changed, and it has had no frame since
};

struct ConnectionReport {
    std::vector<ConnectionInfo> connections;
    std::size_t open = 0, capacity = 0;  ///< of the whole table
};

}  // namespace bulkhead
