// SPDX-License-Identifier: Apache-2.0
// Who can talk to whom in a segment by the tables that workers forward by, and where that is not what the configuration
// says. Nothing is sampled: see flow_space.h. Attachments that rules can't tell apart are asked about once.
//
// Threads: control, which alone publishes snapshots.
#pragma once

#include "vswitch/policy/judge.h"
#include "vswitch/verify/attachments.h"
#include "vswitch/verify/verification.h"

namespace bulkhead {

/// Open connections do not count, and `judge`'s tables are not changed.
[[nodiscard]] SegmentVerification verify_segment(const InstalledTables& tables, const Judge& judge,
                                                 const VerificationQuestion& question);

}  // namespace bulkhead
