// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/host_tap.h"

#include <utility>

namespace bulkhead {

std::string host_port_name(const std::string& interface) {
    return "host:" + interface;
}

const TapDevice::HostOf* host_of(const Port& port) {
    const auto* tap = std::get_if<TapDevice>(&port.device);
    return tap != nullptr && tap->host_of ? &*tap->host_of : nullptr;
}

std::optional<Port> host_port(const Underlay& underlay) {
    if (underlay.host_tap.empty()) return std::nullopt;
    TapDevice device;
    device.ifname = underlay.host_tap;
    device.host_of = TapDevice::HostOf{.underlay = underlay.name, .nic = underlay.port};
    Port port;
    port.name = host_port_name(underlay.host_tap);
    port.owner = underlay.owner;
    port.device = std::move(device);
    port.mtu = underlay.mtu;
    return port;
}

void add_host_ports(Model& model) {
    for (const auto& [name, underlay] : model.underlays)
        if (auto port = host_port(underlay)) model.ports.insert_or_assign(port->name, *port);
}

}  // namespace bulkhead
