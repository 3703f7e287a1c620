// SPDX-License-Identifier: Apache-2.0
// The attachments of a segment, those that were meant and those that are installed, and how these differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/policy/policy_compiler.h"
#include "vswitch/verify/verification.h"

namespace bulkhead {

/// What is installed, by name.
struct InstalledTables {
    const Snapshot& snapshot;
    const Indices& indices;
    const PolicyCompiler& policies;
};

struct AttachmentSides {
    AttachmentName name;
    const Attachment* meant = nullptr;          ///< null: nobody configured it
    AttachmentIndex installed = kNoAttachment;  ///< kNoAttachment: it is not there
    std::string obstacle;                       ///< why no frame comes in or leaves by it; empty: they do
    std::vector<std::string> differences;
};

/// By name. Tunnels are none of them.
[[nodiscard]] std::vector<AttachmentSides> attachments_of(const InstalledTables& tables, const Model& intent,
                                                          const std::string& segment);

/// How the segment itself differs from what was meant.
[[nodiscard]] std::vector<std::string> segment_differences(const InstalledTables& tables, const Model& intent,
                                                           const std::string& segment);

}  // namespace bulkhead
