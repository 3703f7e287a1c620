// SPDX-License-Identifier: Apache-2.0
// What a segment's frames are judged by. A part of the snapshot; a segment without rules that allows has none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/policy/group_classes.h"
#include "vswitch/policy/rule_set.h"

namespace bulkhead {

struct SegmentPolicy {
    std::shared_ptr<const RuleSet> rules;  ///< may be those of the snapshot before
    DefaultPolicy otherwise = DefaultPolicy::allow;
    std::shared_ptr<const GroupClasses> groups;  ///< null: no tunnel of the segment is trusted to name them
    /// Another one whenever a verdict could be another one. Connections of a former one are judged anew.
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;               ///< the first generation of this segment
    std::vector<AttachmentIndex> targets;  ///< by rule: where it redirects to; kNoAttachment: nowhere, or not open
};

}  // namespace bulkhead
