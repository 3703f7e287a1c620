// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "vswitch/packet/batch.h"
#include "vswitch/policy/flow.h"
#include "vswitch/policy/policy_log.h"
#include "vswitch/policy/rule_set.h"

namespace bulkhead {

/// Of a frame, of which `headers` are the beginning, and the rule that decided: `reason` none, if it passes.
[[nodiscard]] PolicyRecord policy_record(const Batch& batch, std::uint16_t row, const Flow& flow,
                                         std::span<const std::uint8_t> headers, const CompiledRule& rule,
                                         DropReason reason, std::uint64_t now_cycles) noexcept;

}  // namespace bulkhead
