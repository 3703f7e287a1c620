// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/model/indices.h"

namespace bulkhead {

/// What indices of the data path are called. Made for one answer: `indices` must not change meanwhile.
class Names {
  public:
    explicit Names(const Indices& indices);

    [[nodiscard]] FramePlace place(AttachmentIndex attachment) const;
    /// "port web-0", "port fw-0, VLAN 7", "tunnel b"
    [[nodiscard]] std::string spoken(AttachmentIndex attachment) const;
    [[nodiscard]] const std::string& segment(AttachmentIndex attachment) const {
        return attachments_[attachment]->segment;
    }
    [[nodiscard]] const std::string& rule(RuleIndex rule) const { return rules_[rule]->second; }
    /// "ids", and of a rule that mirrors "blue/copy"
    [[nodiscard]] std::string mirror(MirrorIndex mirror) const {
        const auto& [segment, name] = *mirrors_[mirror];
        return segment.empty() ? name : segment + "/" + name;
    }

  private:
    std::vector<const AttachmentKey*> attachments_;
    std::vector<const std::pair<std::string, std::string>*> rules_, mirrors_;
};

}  // namespace bulkhead
