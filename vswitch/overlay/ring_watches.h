// SPDX-License-Identifier: Apache-2.0
// The ring watch of each guarded segment, between what workers hear and what is to be said, cut and told.
//
// Threads: control only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vswitch/base/token_bucket.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/overlay_state.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/ring_watch.h"
#include "vswitch/pipeline/learner.h"

namespace bulkhead {

class RingWatches {
  public:
    /// `number` is this node's, by which it is elected; `wake` wakes the workers: there is something to send.
    RingWatches(RingGuard& guard, std::uint64_t number, std::function<void()> wake)
        : guard_(guard), number_(number), wake_(std::move(wake)) {}

    /// A valid model is about to be put in force. Links that go, or that can be part of no ring any more, are cut no
    /// more.
    void adopt(const Model& model, const Indices& indices);

    /// Takes what the workers handed up, and does what is due. Returns the segments whose learned addresses behind
    /// links are to be forgotten.
    std::vector<SegmentIndex> serve(std::uint64_t now_ms);
    /// An address was learned where it was not before. One that moves between links again and again goes round.
    void address_moved(const MacChange& change, std::uint64_t now_ms);

    /// Whether it is a tunnel's, of a guarded segment.
    [[nodiscard]] bool is_link(AttachmentIndex attachment) const { return links_.contains(attachment); }
    /// The segments that a tunnel is cut for, by name.
    [[nodiscard]] std::vector<std::string> cut_of(const std::string& tunnel) const;
    [[nodiscard]] std::vector<RingEvent> take_events() { return std::exchange(events_, {}); }

  private:
    struct Link {
        SegmentIndex segment = kNoSegment;
        std::string segment_name;
        std::string tunnel;
    };
    struct Moves {
        std::uint64_t since = 0;
        unsigned count = 0;
    };

    /// Does what a watch decided; whether there is something to relearn.
    bool carry_out(RingWatch& watch);
    bool carry_out_all(std::vector<SegmentIndex>& relearn);

    RingGuard& guard_;
    const std::uint64_t number_;
    std::function<void()> wake_;
    std::map<SegmentIndex, RingWatch> watches_;
    std::unordered_map<AttachmentIndex, Link> links_;
    std::unordered_map<MacKey, Moves> moves_;  ///< within about a second
    std::uint64_t moves_since_ = 0;
    std::uint64_t listened_ = 0;
    TokenBucket passed_on_{1000, 1000};  ///< of what others ask, however much that is
    std::vector<RingEvent> events_;
};

}  // namespace bulkhead
