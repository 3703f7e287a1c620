// SPDX-License-Identifier: Apache-2.0
#include "vswitch/mirror/mirror_table.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/policy/segment_policy.h"

namespace bulkhead {
namespace {

/// As the rules of the frame's segment see it; of no group if there are none, or none of that number.
GroupClass class_of(const Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept {
    const SegmentPolicy* const policy = snapshot.segments[batch.segment[row]].policy.get();
    const GroupClasses* groups = policy == nullptr ? nullptr : policy->groups.get();
    if (policy == nullptr && snapshot.mirrors != nullptr && !snapshot.mirrors->rules.empty()) {
        const SegmentMirrors* const mirrors = snapshot.mirrors->rules[batch.segment[row]].get();
        groups = mirrors == nullptr ? nullptr : mirrors->groups.get();
    }
    return groups == nullptr ? kNoGroup : groups->find(batch.group[row]);
}

}  // namespace

void identify_senders(Batch& batch, const Snapshot& snapshot) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row)) [[unlikely]]
            continue;
        if (!batch.is_decapsulated) batch.group[row] = snapshot.group_ids[first_ingress(batch, row, snapshot)];
        batch.group_class[row] = batch.is_decapsulated ? class_of(batch, row, snapshot) : kNoGroup;
    }
}

}  // namespace bulkhead
