// SPDX-License-Identifier: Apache-2.0
// What one worker tells control of frames that rules with `log` have decided about. Most of a flood is only counted: a
// record is made where its port, or its rule, has not had its share yet. So a port that floods one rule takes neither
// the other ports' records of that rule nor its own of others.
//
// Threads: has_share() and tell() by the worker; pop() and untold() by control.
#pragma once

#include <cstdint>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/base/ring.h"
#include "vswitch/limits/rate_shares.h"
#include "vswitch/model/policy_model.h"
#include "vswitch/policy/flow.h"

namespace bulkhead {

/// A frame and what was decided, by index: these are their objects' until control has taken all records of the
/// snapshot that they are of.
struct PolicyRecord {
    std::uint64_t cycles = 0;  ///< of the TSC, when it was decided
    FlowAddress source{}, destination{};
    std::uint64_t source_mac = 0, destination_mac = 0;
    std::uint32_t length = 0;  ///< octets, as the frame stands in its segment
    RuleIndex rule = kNoRule;
    AttachmentIndex ingress = kNoAttachment;
    std::uint16_t ethertype = 0;  ///< behind VLAN tags
    std::uint16_t source_port = 0, destination_port = 0;
    FlowFamily family = FlowFamily::none;
    std::uint8_t protocol = 0, tcp_flags = 0, icmp_type = 0, icmp_code = 0;
    PolicyAction action = PolicyAction::deny;
    DropReason reason = DropReason::none;  ///< none: it passes
};

class PolicyLog {
  public:
    /// Records a second and at once, of each port (attachment, to be exact) and of each rule.
    static constexpr std::uint32_t kOfPort = 10, kOfPortAtOnce = 20, kOfRule = 1, kOfRuleAtOnce = 1;
    /// Records that wait for control, which comes ten times a second.
    static constexpr unsigned kWaiting = 1023;

    explicit PolicyLog(std::uint64_t cycles_per_second);

    /// Whether there is to be a record; if not, the frame counts as untold.
    [[nodiscard]] bool has_share(AttachmentIndex ingress, RuleIndex rule, std::uint64_t now_cycles) noexcept;
    void tell(const PolicyRecord& record) noexcept;

    [[nodiscard]] bool pop(PolicyRecord& record) noexcept { return records_.pop(record); }
    /// Frames without a record, of all ports and of one; only grow.
    [[nodiscard]] std::uint64_t untold() const noexcept { return untold_.read(); }
    [[nodiscard]] std::uint64_t untold(AttachmentIndex ingress) const noexcept { return untold_of_[ingress].read(); }

  private:
    void leave_untold(AttachmentIndex ingress) noexcept;

    RateShares ports_, rules_;
    Ring<PolicyRecord> records_{"policy_log", kWaiting + 1, Producers::one};  ///< from the worker to control
    Counter untold_;
    std::vector<Counter> untold_of_;  ///< by AttachmentIndex
};

}  // namespace bulkhead
