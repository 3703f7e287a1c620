// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/policy_log.h"

namespace bulkhead {

PolicyLog::PolicyLog(std::uint64_t cycles_per_second)
    : ports_(kMaxAttachments, kOfPort, kOfPortAtOnce, cycles_per_second),
      rules_(kMaxRules, kOfRule, kOfRuleAtOnce, cycles_per_second),
      untold_of_(kMaxAttachments) {}

bool PolicyLog::has_share(AttachmentIndex ingress, RuleIndex rule, std::uint64_t now_cycles) noexcept {
    if (ports_.take(ingress, now_cycles) || rules_.take(rule, now_cycles)) return true;
    leave_untold(ingress);
    return false;
}

void PolicyLog::tell(const PolicyRecord& record) noexcept {
    if (!records_.push(record)) [[unlikely]]
        leave_untold(record.ingress);
}

void PolicyLog::leave_untold(AttachmentIndex ingress) noexcept {
    untold_of_[ingress].add(1);
    untold_.add(1);
}

}  // namespace bulkhead
