// SPDX-License-Identifier: Apache-2.0
// What each stage would decide about a frame, by the names that users gave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/drop_reason.h"
#include "vswitch/model/model.h"
#include "vswitch/policy/ground.h"

namespace bulkhead {

/// A frame that might come in by a port: octets from its destination address on.
struct PacketQuestion {
    /// What the largest MTU asks for, with two tags. A longer frame is refused, not explained.
    static constexpr std::size_t kLongest = std::size_t{kMaxMtu} + 14 + 2 * 4;

    std::string port;
    std::vector<std::uint8_t> frame;
    std::optional<std::uint16_t> vlan;  ///< of a tag to be put on it before
};

/// Where frames leave: a port or a tunnel, and the VLAN there.
struct FramePlace {
    std::string port;    ///< this, or
    std::string tunnel;  ///< this is empty
    std::optional<std::uint16_t> vlan;
    /// "web-0", "tunnel:b"
    [[nodiscard]] std::string to_string() const { return tunnel.empty() ? port : "tunnel:" + tunnel; }
};

struct StageDecision {
    std::string stage;
    std::string decision;                  ///< for people
    DropReason reason = DropReason::none;  ///< not none: the frame ends here
    std::string rule = {};                 ///< of policy; empty: none
    std::optional<Ground> ground = {};
};

/// One of those to whom a flooded frame would go.
struct ReceiverDecision {
    FramePlace place;
    DropReason reason = DropReason::none;  ///< why not
    std::string rule = {};
    std::optional<Ground> ground = {};
};

enum class PacketVerdict : std::uint8_t {
    forward,
    drop,
    answer,  ///< the switch answers it itself; `egress` is where the answer goes
};

struct PacketExplanation {
    PacketVerdict verdict = PacketVerdict::forward;
    DropReason reason = DropReason::none;
    std::string segment;               ///< empty: none was found
    std::vector<FramePlace> egress;    ///< none if it is dropped
    std::vector<std::string> mirrors;  ///< that would copy it: by name, rules that mirror as "SEGMENT/NAME"
    std::vector<StageDecision> stages;
    std::vector<ReceiverDecision> receivers;  ///< of a frame that is flooded: all others in the segment
};

}  // namespace bulkhead
