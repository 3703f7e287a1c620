// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/explain_mirrors.h"

#include <algorithm>
#include <bit>

#include "vswitch/pipeline/mirror_reach.h"

namespace bulkhead {

void MirrorExplainer::add(const MirrorList& mirrors) {
    for (const std::uint16_t place : mirrors) {
        if (place == kNoMirror) continue;
        std::string name = names_.mirror(table_->entries[place].index);
        if (std::ranges::find(said_.mirrors, name) == said_.mirrors.end()) said_.mirrors.push_back(std::move(name));
    }
}

void MirrorExplainer::see_entering(const Batch& batch, std::uint16_t row) {
    if (table_ == nullptr) return;
    add(table_->ports[batch.port].in);
    add(table_->segments[batch.segment[row]].in);
}

void MirrorExplainer::see_rules(const Batch& batch, std::uint16_t row,
                                std::span<std::uint8_t, kMostPolicyHeaders> scratch) {
    if (table_ == nullptr || table_->rules.empty()) return;
    const SegmentMirrors* const mirrors = table_->rules[batch.segment[row]].get();
    if (mirrors == nullptr) return;
    for (std::uint64_t left = matching_mirrors(batch, row, snapshot_, *mirrors, scratch); left != 0; left &= left - 1)
        add({mirrors->mirrors[static_cast<std::size_t>(std::countr_zero(left))]});
}

void MirrorExplainer::see_decided(RuleIndex rule) {
    if (table_ != nullptr && !table_->decided.empty()) add(table_->decided[rule]);
}

void MirrorExplainer::see_leaving(const Batch& batch, std::uint16_t row, std::span<const AttachmentIndex> egress) {
    if (table_ == nullptr || egress.empty()) return;
    for (const AttachmentIndex attachment : egress) add(port_of(attachment).out);
    add(table_->segments[batch.segment[row]].out);
}

void MirrorExplainer::see_answer(const Batch& batch, std::uint16_t row) {
    if (table_ == nullptr) return;
    add(port_of(batch.ingress[row]).out);
    add(table_->segments[batch.segment[row]].answers);
}

}  // namespace bulkhead
