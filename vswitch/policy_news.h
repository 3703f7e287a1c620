// SPDX-License-Identifier: Apache-2.0
// Gives what the workers' policy logs hold its names. Every frame that a rule with `log` decides about is in one entry:
// as its frame, or among its `suppressed`.
//
// Threads: control only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/policy/policy_log_entry.h"
#include "vswitch/worker.h"

namespace bulkhead {

class PolicyNews {
  public:
    explicit PolicyNews(const std::vector<std::unique_ptr<Worker>>& workers) : workers_(workers) {}

    /// Names what has been told until now. When workers have left a snapshot: while `indices` still has all of it.
    void collect(const Indices& indices);
    /// The attachment's index may soon be another's.
    void close(AttachmentIndex index, const Indices& indices);
    /// What there is since the last call. What was suppressed and no record has told of is told of once a second.
    [[nodiscard]] std::vector<PolicyLogEntry> take(const Indices& indices, std::uint32_t now_s);

  private:
    /// How many are to be told of; they are told then.
    std::uint64_t take_untold(AttachmentIndex index);
    void add_suppressed(AttachmentIndex index, const Indices& indices);

    const std::vector<std::unique_ptr<Worker>>& workers_;
    std::vector<PolicyLogEntry> entries_;
    std::map<AttachmentIndex, std::uint64_t> told_;  ///< of PolicyLog::untold(), all workers' together
    std::uint64_t told_of_all_ = 0;
    std::set<AttachmentIndex> recent_;  ///< had a record in this second
    std::uint32_t second_ = 0;
};

}  // namespace bulkhead
