// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "vswitch/explain/names.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/mirror/mirror_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead {

/// Notes which mirrors would copy a frame, as its way is told: MirrorStage's places, one by one.
class MirrorExplainer {
  public:
    MirrorExplainer(const Snapshot& snapshot, const Names& names, PacketExplanation& said)
        : snapshot_(snapshot), table_(snapshot.mirrors.get()), names_(names), said_(said) {}

    void see_entering(const Batch& batch, std::uint16_t row);
    void see_rules(const Batch& batch, std::uint16_t row, std::span<std::uint8_t, kMostPolicyHeaders> scratch);
    void see_decided(RuleIndex rule);
    void see_leaving(const Batch& batch, std::uint16_t row, std::span<const AttachmentIndex> egress);
    void see_answer(const Batch& batch, std::uint16_t row);

  private:
    void add(const MirrorList& mirrors);
    [[nodiscard]] const MirrorSource& port_of(AttachmentIndex attachment) const {
        return table_->ports[snapshot_.attachments[attachment].port];
    }

    const Snapshot& snapshot_;
    const MirrorTable* table_;  ///< null: there are none
    const Names& names_;
    PacketExplanation& said_;
};

}  // namespace bulkhead
