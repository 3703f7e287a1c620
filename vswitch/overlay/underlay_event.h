// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

/// What operators are told of the underlay's link.
struct UnderlayEvent {
    enum class Kind : std::uint8_t {
        neighbor_reachable,  ///< a next hop answers, for the first time or again
        neighbor_failed,     ///< a next hop does not answer (any more)
        address_duplicate,   ///< another MAC speaks as the owner of one of our addresses
    };

    Kind kind;
    IpAddress ip;
    std::optional<MacAddress> mac;  ///< of the neighbour, or of the other owner
    bool operator==(const UnderlayEvent&) const = default;
};

}  // namespace bulkhead
