// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/device_factory.h"

#include "pmd/ethdev_port.h"
#include "pmd/tap/tap_port.h"
#include "vhost/vhost_port.h"

namespace bulkhead::daemon {

Result<std::unique_ptr<PortIo>> DeviceFactory::open(const Port& port, std::uint16_t mtu, std::uint64_t token) {
    PortEventSink sink = [report = report_, name = port.name, token](PortEvent event) { report(name, token, event); };
    if (std::holds_alternative<EthdevDevice>(port.device)) {
        return open_ethdev_port(port, mtu, buffers_, workers_, std::move(sink));
    }
    if (std::holds_alternative<TapDevice>(port.device)) {
        return open_tap_port(port, mtu, buffers_, workers_, std::move(sink));
    }
    if (!relay_) {
        auto relay = vhost::Relay::create(vhost_roots_);
        if (!relay) return std::unexpected(relay.error());
        relay_ = *std::move(relay);
    }
    return open_vhost_port(port, mtu, buffers_, workers_, relay_, std::move(sink));
}

}  // namespace bulkhead::daemon
