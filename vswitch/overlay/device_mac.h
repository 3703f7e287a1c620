// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/base/mac_address.h"
#include "vswitch/port_io.h"

namespace bulkhead {

/// The address that a NIC port answers to; zero if it has none.
[[nodiscard]] inline MacAddress device_mac(const PortIo& port) {
    return MacAddress::parse(port.state().mac).value_or(MacAddress());
}

}  // namespace bulkhead
