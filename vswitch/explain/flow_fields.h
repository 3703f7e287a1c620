// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

/// What rules ask about, for somebody who has no frame at hand.
struct FlowFields {
    std::uint16_t ethertype = 0;
    std::uint8_t protocol = 0;             ///< of IP
    std::optional<IpAddress> source;       ///< none: of its family's unspecified one
    std::optional<IpAddress> destination;  ///< likewise
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t icmp_type = 0;
    std::uint8_t tcp_flags = 0;
    MacAddress source_mac;
    MacAddress destination_mac;
};

/// The least frame that has these fields: what is judged is always a frame. Checksums are left out, nobody looks at
/// them.
[[nodiscard]] std::vector<std::uint8_t> frame_of(const FlowFields& fields);

}  // namespace bulkhead
