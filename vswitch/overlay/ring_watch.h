// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/overlay/ring_probe.h"

namespace bulkhead {

/// Finds out whether this node is on a ring of a segment's links, agrees with the other nodes on it about who cuts it,
/// and cuts it at one place, so that the segment stays whole.
///
/// A node that suspects a ring asks by one link: a probe that is passed on like any flood, once by each node. One that
/// comes back by another link has gone round. Its sender claims the cut; 300 ms after the first suspicion the node with
/// the least number of those that claim sends a last claim, and cuts if that comes back as well: had another one cut in
/// the meantime, it would not. It tells all that what they learned may be wrong, and goes on sending checks through
/// the cut: when none has come back for five seconds somebody has mended the ring, and the link is used again.
///
/// Reads no clock; one thread calls it; what it keeps is bounded. Whoever calls it takes outgoing probes and outcomes
/// after each call. Times are milliseconds of a monotonic clock.
class RingWatch {
  public:
    struct Link {
        AttachmentIndex attachment = kNoAttachment;
        bool is_mesh = false;
    };
    struct Outgoing {
        AttachmentIndex by = kNoAttachment;
        RingProbe probe;
    };
    struct Outcome {
        enum class Kind : std::uint8_t {
            suspected,  ///< something came round by `link`
            cut,        ///< nothing may be sent or received by `link`
            lifted,     ///< `link` is used again
            relearn,    ///< what is known to be behind the links is to be forgotten
        };
        Kind kind;
        AttachmentIndex link = kNoAttachment;
        bool operator==(const Outcome&) const = default;
    };

    static constexpr std::uint64_t kElectionMs = 300;
    static constexpr std::uint64_t kCheckMs = 1000;  ///< between the checks of a cut
    static constexpr std::uint64_t kLiftMs = 5000;   ///< without a check that came back

    /// `number` is this node's, `vni` the segment's.
    RingWatch(std::uint64_t number, std::uint32_t vni) : number_(number), vni_(vni) {}

    /// The segment's tunnels. What is no longer among them is cut no more, either.
    void set_links(std::vector<Link> links);

    /// A duplicate, or an address that can't be in two places, came in by a link.
    void suspect(AttachmentIndex by, std::uint64_t now);
    /// A probe came in by a link.
    void hear(AttachmentIndex by, const RingProbe& probe, std::uint64_t now);
    /// Does what is due; call about ten times a second.
    void tick(std::uint64_t now);

    [[nodiscard]] std::vector<Outgoing> take_outgoing() { return std::exchange(outgoing_, {}); }
    [[nodiscard]] std::vector<Outcome> take_outcomes() { return std::exchange(outcomes_, {}); }
    [[nodiscard]] bool is_cut(AttachmentIndex link) const { return cuts_.contains(link); }

  private:
    /// From a suspicion to a decision.
    struct Round {
        std::uint64_t started = 0;
        std::uint64_t next_said = 0;  ///< when the question or the claim is repeated
        AttachmentIndex out = kNoAttachment;
        AttachmentIndex in = kNoAttachment;  ///< by which the question came back; none so far: not on a ring
        std::uint64_t decision = 0;
        std::optional<std::uint32_t> last_claim;  ///< its sequence
    };
    struct Cut {
        std::uint64_t heard = 0;  ///< when a check came back
        std::uint64_t next_check = 0;
    };
    struct Sent {
        std::uint32_t sequence = 0;
        AttachmentIndex by = kNoAttachment;
        RingProbe::Kind kind = RingProbe::Kind::question;
    };

    [[nodiscard]] const Link* find(AttachmentIndex link) const;
    [[nodiscard]] bool is_least(std::uint64_t now) const;
    [[nodiscard]] bool is_first_time(const RingProbe& probe);
    std::uint32_t say(RingProbe::Kind kind, AttachmentIndex by);
    void pass_on(const Link& from, const RingProbe& probe);
    void hear_own(AttachmentIndex by, const RingProbe& probe, std::uint64_t now);
    void hear_other(AttachmentIndex by, const RingProbe& probe, std::uint64_t now);
    void come_back(AttachmentIndex by, const Sent& sent, std::uint64_t now);
    void advance(std::uint64_t now);
    void end_round(std::uint64_t now);
    void cut(AttachmentIndex link, std::uint64_t now);
    void announce_change(std::uint64_t now);
    void relearn(std::uint64_t now);
    void report(Outcome::Kind kind, AttachmentIndex link = kNoAttachment) { outcomes_.push_back({kind, link}); }

    const std::uint64_t number_;
    const std::uint32_t vni_;
    std::vector<Link> links_;
    std::optional<Round> round_;
    std::uint64_t quiet_until_ = 0;   ///< no new round before
    std::uint64_t silent_until_ = 0;  ///< no further `suspected` before
    std::map<AttachmentIndex, Cut> cuts_;
    std::map<std::uint64_t, std::uint64_t> rivals_;              ///< when each node's claim was heard
    std::deque<std::pair<std::uint64_t, std::uint32_t>> heard_;  ///< (sender, sequence) of others, the last ones
    std::deque<Sent> sent_;                                      ///< the last ones
    std::uint32_t sequence_ = 0;
    unsigned changes_left_ = 0;
    std::uint64_t next_change_ = 0;
    std::uint64_t relearned_ = 0;
    std::vector<Outgoing> outgoing_;
    std::vector<Outcome> outcomes_;
};

}  // namespace bulkhead
