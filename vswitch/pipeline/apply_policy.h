// SPDX-License-Identifier: Apache-2.0
// The stage that lets only those frames go on that their segment's policy allows.
//
// Threads: the worker's alone; what it shares with others is the Judge's.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/mirror_stage.h"
#include "vswitch/policy/dissect.h"
#include "vswitch/policy/judge.h"
#include "vswitch/policy/policy_log.h"

namespace bulkhead {

class PolicyStage {
  public:
    PolicyStage(ConnectionTable& connections, FragmentMemory& fragments, const MacTable& macs,
                WorkerCounters& counters);

    /// Room for what recipients() gives. `mirrors` is told what rules decide about, if it watches them.
    void adopt(const Snapshot& snapshot, MirrorStage* mirrors = nullptr) {
        recipients_.reserve(snapshot.attachments.size());
        logging_.reserve(snapshot.attachments.size());
        mirrors_ = mirrors != nullptr && mirrors->watches_rules() ? mirrors : nullptr;
    }

    /// Judges the frames that go to one attachment, and looks at those for many. Verdicts: policy_denied,
    /// policy_default, fragment_unjudged, unreadable_headers, connection_limit, port_gone.
    void judge(Batch& batch, const Snapshot& snapshot) noexcept;

    /// Whether a frame for many is to be asked about.
    [[nodiscard]] bool has_say(const Batch& batch, std::uint16_t row, const Snapshot& snapshot) const noexcept {
        return snapshot.segments[batch.segment[row]].policy != nullptr;
    }
    /// Those of `members`, as far as the frame `reaches` them, that it may go to; valid until the next call. If the
    /// policy lets it go to none of these, it has its verdict.
    template <typename Reaches>
    [[nodiscard]] std::span<const AttachmentIndex> recipients(Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                                              std::span<const AttachmentIndex> members,
                                                              Reaches reaches) noexcept {
        recipients_.clear();
        for (const AttachmentIndex member : members)
            if (reaches(member)) recipients_.push_back(member);
        if (!recipients_.empty()) weed_recipients(batch, row, snapshot);
        return recipients_;
    }

    [[nodiscard]] PolicyLog& log() noexcept { return log_; }

  private:
    void weed_recipients(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept;
    using Rows = Batch::Column<std::uint16_t>;
    /// Judges those of a burst from one attachment that simply pass; how many are left in left_.
    [[nodiscard]] std::uint16_t pass_usual(const Batch& batch, const Snapshot& snapshot,
                                           const SegmentPolicy& policy) noexcept;
    void judge_closely(Batch& batch, const Snapshot& snapshot, std::span<const std::uint16_t> rows) noexcept;
    void read_headers(const Batch& batch, std::span<const std::uint16_t> rows, const Snapshot& snapshot) noexcept;
    /// The beginning of those few frames that more than the flow is asked about; valid until the next call.
    [[nodiscard]] std::span<const std::uint8_t> quoting(const Batch& batch, std::uint16_t row) noexcept;
    void judge_unicast(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept;
    void count(const SegmentPolicy& policy, std::uint16_t rule, const Batch& batch, std::uint16_t row) noexcept;
    void log(const Batch& batch, std::uint16_t row, const CompiledRule& rule, DropReason reason) noexcept;
    void log_all(const Batch& batch, std::uint16_t row, const SegmentPolicy& policy, DropReason reason) noexcept;

    Judge judge_;
    ConnectionTable& connections_;
    const MacTable& macs_;
    WorkerCounters& counters_;
    MirrorStage* mirrors_ = nullptr;  ///< null: no rule is a mirror's source
    std::array<const SegmentPolicy*, Batch::kCapacity> policies_{};
    std::array<Candidate, Batch::kCapacity> candidates_;
    Rows left_;
    std::array<std::uint8_t, kMostPolicyHeaders> scratch_;  ///< for headers that do not lie in one piece
    std::vector<AttachmentIndex> recipients_;
    PolicyLog log_;
    /// Of a frame for many: the rules that log and have decided about it, each once, with what they say.
    std::vector<std::pair<std::uint16_t, DropReason>> logging_;
    std::bitset<kMaxRulesOfSegment> is_logging_;
};

}  // namespace bulkhead
