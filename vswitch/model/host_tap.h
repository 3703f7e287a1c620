// SPDX-License-Identifier: Apache-2.0
// The host TAP of an underlay: the interface by which this node's kernel goes on using a NIC that is the switch's. To
// the data path and to whoever opens devices it is a port like others, of a name that none can be given.
#pragma once

#include <optional>
#include <string>

#include "vswitch/model/model.h"

namespace bulkhead {

/// "host:" and the interface, so that another interface is another port.
[[nodiscard]] std::string host_port_name(const std::string& interface);
/// Null if the port is not a host TAP.
[[nodiscard]] const TapDevice::HostOf* host_of(const Port& port);

/// The port that an underlay's `host_tap` stands for, in the switch's own network namespace; nothing without one.
[[nodiscard]] std::optional<Port> host_port(const Underlay& underlay);
/// Puts those of all underlays among the ports.
void add_host_ports(Model& model);

}  // namespace bulkhead
