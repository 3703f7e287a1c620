// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead {

/// What the log says of one frame. It has what its protocol has.
struct LoggedFrame {
    std::string rule;  ///< that decided
    PolicyAction action = PolicyAction::deny;
    DropReason reason = DropReason::none;  ///< none: it passes
    std::uint32_t length = 0;              ///< octets
    MacAddress source_mac, destination_mac;
    std::uint16_t ethertype = 0;  ///< behind VLAN tags
    std::optional<IpAddress> source = {}, destination = {};
    std::optional<std::uint8_t> protocol = {};
    std::optional<std::uint16_t> source_port = {}, destination_port = {};
    std::optional<std::uint8_t> icmp_type = {}, icmp_code = {};
    std::optional<std::uint8_t> tcp_flags = {};
};

/// What rules with `log` tell: of a frame, or only of how many are not told of.
struct PolicyLogEntry {
    std::chrono::system_clock::time_point time;
    FramePlace place;  ///< where the frame came in
    std::string segment;
    std::optional<LoggedFrame> frame = {};
    /// Frames that came in there, too, since the entry before, which rules with `log` decided about without an entry.
    std::uint64_t suppressed = 0;
};

}  // namespace bulkhead
