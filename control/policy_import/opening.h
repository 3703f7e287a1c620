// SPDX-License-Identifier: Apache-2.0
// What one sentence of a policy lets through, whoever the two ends are: a box of addresses, protocol and ports.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "control/policy_import/networks.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {

inline constexpr PortRange kEveryPort{0, 65535};

struct Opening {
    Networks from, to;                     ///< empty: any address, and what is not IP
    std::optional<std::uint8_t> protocol;  ///< nothing: all traffic, whatever its ports
    std::vector<PortRange> ports;          ///< destination; sorted, apart, never empty: {kEveryPort} is all
    auto operator<=>(const Opening&) const = default;
};

/// All traffic.
[[nodiscard]] Opening everything();

/// The same traffic in few openings: ports of the same addresses and protocol together, none inside another, sorted.
[[nodiscard]] std::vector<Opening> simplified(std::vector<Opening> openings);

/// What both let through, where one of them is silent about `from` and the other about `to`. Two that name the same end
/// have no place here: egress knows the receiver's address, ingress the sender's.
[[nodiscard]] std::optional<Opening> common(const Opening& egress, const Opening& ingress);

}  // namespace bulkhead::policy_import
