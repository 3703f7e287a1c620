// SPDX-License-Identifier: Apache-2.0
// Turns the workers' rows, which are by index and only grow, into the numbers of named objects: sums over workers, from
// the baseline taken when the object got its index, and with what detached attachments had counted added to their
// segment and port.
//
// Threads: control only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/model/indices.h"
#include "vswitch/switch.h"
#include "vswitch/worker.h"

namespace bulkhead {

class TrafficLedger {
  public:
    explicit TrafficLedger(const std::vector<std::unique_ptr<Worker>>& workers) : workers_(workers) {}

    void open_port(PortIndex index) { port_base_[index] = port_row(index); }
    void open_attachment(const AttachmentKey& key, AttachmentIndex index);
    /// The attachment is gone; its counts stay with the port (drops) and the segment (all).
    void close_attachment(const AttachmentKey& key, AttachmentIndex index);
    void forget_port(const std::string& name) { port_closed_.erase(name); }
    void forget_segment(const std::string& name) { segment_closed_.erase(name); }

    [[nodiscard]] TrafficStats port(const std::string& name, const Indices& indices) const;
    [[nodiscard]] TrafficStats segment(const std::string& name) const;
    [[nodiscard]] TrafficStats port_itself(PortIndex index) const;
    [[nodiscard]] TrafficStats attachment(AttachmentIndex index) const;

    void open_rule(RuleIndex index) { rule_base_[index] = rule_row(index); }
    [[nodiscard]] RuleHits rule(RuleIndex index) const;

    void open_mirror(MirrorIndex index) { mirror_base_[index] = mirror_row(index); }
    [[nodiscard]] MirrorStats mirror(MirrorIndex index) const;

  private:
    [[nodiscard]] RuleHits rule_row(RuleIndex index) const;
    [[nodiscard]] MirrorStats mirror_row(MirrorIndex index) const;
    [[nodiscard]] TrafficStats port_row(PortIndex index) const;
    [[nodiscard]] TrafficStats attachment_row(AttachmentIndex index) const;

    const std::vector<std::unique_ptr<Worker>>& workers_;
    std::map<PortIndex, TrafficStats> port_base_;
    std::map<AttachmentIndex, TrafficStats> attachment_base_;
    std::map<RuleIndex, RuleHits> rule_base_;
    std::map<MirrorIndex, MirrorStats> mirror_base_;
    std::map<std::string, std::set<AttachmentIndex>> attachments_of_;  ///< by segment
    std::map<std::string, TrafficStats> port_closed_;
    std::map<std::string, TrafficStats> segment_closed_;
};

}  // namespace bulkhead
