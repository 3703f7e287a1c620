// SPDX-License-Identifier: Apache-2.0
// Which rule decides, worked out from the rules as they were written, one after the other and field by field: slow, and
// nothing that workers do. It shares no code with the compiled rules (rule_set.h), so the one is a check of the other.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vswitch/model/policy_model.h"
#include "vswitch/policy/flow.h"
#include "vswitch/policy/ground.h"

namespace bulkhead {

/// A frame and its ends, as rules ask about them. Open connections do not count.
struct RuleQuestion {
    Flow flow;               ///< as dissect() sets it; no later fragment
    std::string from_group;  ///< empty: of none
    std::string to_group;
    std::uint64_t source_mac = 0;
    std::uint64_t destination_mac = 0;
};

struct RuleStep {
    const Policy* rule = nullptr;
    bool matches = false;
    std::string why;  ///< it does not, or why it does not decide; empty for the one that decides
};

struct RuleAnswer {
    std::vector<RuleStep> steps;  ///< up to the rule that decides
    const Policy* rule = nullptr;
    Ground ground = Ground::none;
    bool passes = true;
};

/// `rules` are those of one segment, in the order in which they are asked.
[[nodiscard]] RuleAnswer ask_rules(const std::vector<const Policy*>& rules, DefaultPolicy otherwise,
                                   const RuleQuestion& question);

/// The same as the compiled rules in force say, which are what counts.
struct InstalledAnswer {
    std::string rule;  ///< empty: none decides
    Ground ground = Ground::none;
    bool passes = true;
    [[nodiscard]] bool agrees(const RuleAnswer& written) const {
        return passes == written.passes && ground == written.ground &&
               rule == (written.rule == nullptr ? std::string() : written.rule->name);
    }
};

}  // namespace bulkhead
