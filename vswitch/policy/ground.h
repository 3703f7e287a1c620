// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace bulkhead {

/// What decided, for those who ask.
enum class Ground : std::uint8_t {
    rule,        ///< Decision::rule
    none,        ///< the segment's default_policy
    connection,  ///< it is of one that Decision::rule let through
    related,     ///< an ICMP error about one
    resolution,  ///< ARP or Neighbor Discovery that no rule names
    fragment,    ///< like the first fragment
    headers,     ///< they can't be judged
};
[[nodiscard]] std::string_view to_string(Ground ground);

}  // namespace bulkhead
