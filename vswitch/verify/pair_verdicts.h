// SPDX-License-Identifier: Apache-2.0
// What becomes of one frame between two attachments: by what is installed, asked as workers ask, and by what was
// written, read rule by rule.
#pragma once

#include <string>

#include "vswitch/explain/names.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/policy/judge.h"
#include "vswitch/verify/flow_space.h"
#include "vswitch/verify/verification.h"

namespace bulkhead {

struct InstalledSide {
    const Snapshot& snapshot;
    const Judge& judge;
    const Names& names;
    const SegmentPolicy* policy;  ///< null: everything may pass
    std::string obstacle;         ///< why nothing gets there, whatever the rules say; empty: nothing is in its way
    AttachmentIndex from = kNoAttachment;
    FlowEnds ends = {};  ///< without its MACs

    [[nodiscard]] Verdict of(const FrameKind& kind, const FlowFields& fields) const;

  private:
    [[nodiscard]] Verdict of(const Decision& decision) const;
};

struct IntendedSide {
    const Model& model;
    const std::string& segment;
    DefaultPolicy otherwise;
    std::string obstacle;
    std::string from_port;
    std::string from_group, to_group;

    [[nodiscard]] Verdict of(const FrameKind& kind, const FlowSpace::Sample& sample) const;

  private:
    [[nodiscard]] Verdict of(const Policy& rule) const;
};

}  // namespace bulkhead
