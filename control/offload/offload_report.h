// SPDX-License-Identifier: Apache-2.0
// What is known of a NIC's rules, for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/offload/flow_rule.h"

namespace bulkhead {

/// One try at what a device can do.
struct OffloadRung {
    FlowShape shape;
    bool accepted = false;
    std::string words;  ///< the driver's, if not
};

struct OffloadedRule {
    enum class State : std::uint8_t { installed, refused, waiting, leaving };
    FlowRule rule;
    State state = State::waiting;
    std::string reason;            ///< refused: the driver's words; waiting: for what
    std::optional<FlowHits> hits;  ///< of one that counts
};

struct OffloadReport {
    std::string port, driver;
    std::vector<OffloadRung> ladder;              ///< as it was climbed down; empty: not yet
    std::optional<FlowShape> steering, dropping;  ///< what the device does; nothing: software does it all
    std::vector<OffloadedRule> rules;             ///< in a fixed order
    std::uint32_t resets = 0;
};

struct OffloadEvent {
    enum class Kind : std::uint8_t { probed, installed, refused, lost, withdrawal_failed };
    Kind kind = Kind::probed;
    std::string port;
    std::string words;        ///< the driver's, or what was found
    std::uint32_t count = 0;  ///< of rules
};

}  // namespace bulkhead
