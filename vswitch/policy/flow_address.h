// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/base/ip_address.h"
#include "vswitch/policy/flow.h"

namespace bulkhead {

/// As control knows addresses. The family is not `none`.
[[nodiscard]] inline IpAddress ip_address(FlowFamily family, const FlowAddress& words) {
    if (family == FlowFamily::ipv4) return IpAddress::v4(static_cast<std::uint32_t>(words[1]));
    IpAddress::Octets octets{};
    for (unsigned at = 0; at < 16; ++at) octets[at] = static_cast<std::uint8_t>(words[at / 8] >> (56 - 8 * (at % 8)));
    return IpAddress(octets);
}

}  // namespace bulkhead
