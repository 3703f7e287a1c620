// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vswitch/base/drop_reason.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/link_cuts.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

/// One frame on its way to many.
struct Flood {
    const Snapshot& snapshot;
    const AttachmentEntry& ingress;
    std::uint16_t inner_vlan;

    /// Why it does not leave by an attachment, whatever policy says. Split horizon: never back out of the port it came
    /// in by, nor from one tunnel of the mesh to another, which has it from where it comes. Isolated attachments don't
    /// hear each other. Nothing into a ring that was cut.
    [[nodiscard]] DropReason obstacle(AttachmentIndex index) const noexcept {
        const AttachmentEntry& egress = snapshot.attachments[index];
        if (egress.port == ingress.port) return DropReason::same_port;
        if (egress.is_mesh && ingress.is_mesh) return DropReason::split_horizon;
        if (egress.isolated && ingress.isolated) return DropReason::isolated;
        if (!accepts_tag(egress, inner_vlan)) return DropReason::tagged_frame;
        return egress.is_guarded_link && snapshot.cuts->is_cut(index) ? DropReason::spoke_cut : DropReason::none;
    }
    [[nodiscard]] bool reaches(AttachmentIndex index) const noexcept { return obstacle(index) == DropReason::none; }
};

}  // namespace bulkhead
