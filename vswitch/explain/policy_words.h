// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vswitch/base/drop_reason.h"
#include "vswitch/explain/names.h"
#include "vswitch/policy/judge.h"

namespace bulkhead {

/// The rule that a decision rests on; empty: none.
[[nodiscard]] std::string rule_name(const Names& names, const SegmentPolicy& policy, const Decision& decision);

/// A decision for people. `reason` is what carrying it out comes to; `ingress` is where the frame came in.
[[nodiscard]] std::string spoken(const Names& names, const SegmentPolicy& policy, const Decision& decision,
                                 DropReason reason, AttachmentIndex ingress);

}  // namespace bulkhead
