// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/ring_watch.h"

#include <algorithm>

#include "vswitch/overlay/deadline.h"

namespace bulkhead {
namespace {

using Kind = RingProbe::Kind;
using Result = RingWatch::Outcome::Kind;

constexpr std::uint64_t kRepeatMs = 100;     ///< one that is lost is not missed
constexpr std::uint64_t kAloneMs = 200;      ///< a claim is heard by all before its sender decides
constexpr std::uint64_t kGiveUpMs = 1000;    ///< nothing has come back: no ring that this node is on
constexpr std::uint64_t kLastClaimMs = 300;  ///< for the last claim to come back
constexpr std::uint64_t kQuietMs = 1000;     ///< for the one that was elected
constexpr std::uint64_t kRivalMs = 2000;     ///< a claim holds
constexpr std::uint64_t kSilentMs = 60'000;  ///< between two `suspected` of one segment
constexpr std::uint64_t kRelearnMs = 500;    ///< between two `relearn`
constexpr unsigned kChanges = 3;             ///< how often a change is announced
constexpr std::uint8_t kHops = 32;
constexpr std::size_t kRemembered = 256;
constexpr std::size_t kMostRivals = 256;

}  // namespace

const RingWatch::Link* RingWatch::find(AttachmentIndex link) const {
    const auto found = std::ranges::find(links_, link, &Link::attachment);
    return found == links_.end() ? nullptr : &*found;
}

void RingWatch::set_links(std::vector<Link> links) {
    links_ = std::move(links);
    std::erase_if(cuts_, [this](const auto& entry) {
        const bool is_gone = find(entry.first) == nullptr;
        if (is_gone) report(Result::lifted, entry.first);
        return is_gone;
    });
    if (round_ && (find(round_->out) == nullptr || (round_->in != kNoAttachment && find(round_->in) == nullptr)))
        round_.reset();
}

std::uint32_t RingWatch::say(Kind kind, AttachmentIndex by) {
    const RingProbe probe{.sender = number_, .vni = vni_, .sequence = ++sequence_, .kind = kind, .hops = kHops};
    outgoing_.push_back({by, probe});
    if (kind == Kind::change) return probe.sequence;  // for others: it need not come back
    sent_.push_back({probe.sequence, by, kind});
    if (sent_.size() > kRemembered) sent_.pop_front();
    return probe.sequence;
}

void RingWatch::suspect(AttachmentIndex by, std::uint64_t now) {
    if (round_ || now < quiet_until_ || cuts_.contains(by) || find(by) == nullptr) return;
    if (now >= silent_until_) report(Result::suspected, by);
    silent_until_ = now + kSilentMs;
    round_ = Round{.started = now, .next_said = now + kRepeatMs, .out = by};
    say(Kind::question, by);
}

void RingWatch::hear(AttachmentIndex by, const RingProbe& probe, std::uint64_t now) {
    // What a link that is cut brings does not count, but for checks, which come back by the other links.
    if (probe.vni != vni_ || find(by) == nullptr || cuts_.contains(by)) return;
    if (probe.sender == number_)
        hear_own(by, probe, now);
    else if (is_first_time(probe))
        hear_other(by, probe, now);
}

bool RingWatch::is_first_time(const RingProbe& probe) {
    const std::pair name(probe.sender, probe.sequence);
    if (std::ranges::find(heard_, name) != heard_.end()) return false;
    heard_.push_back(name);
    if (heard_.size() > kRemembered) heard_.pop_front();
    return true;
}

void RingWatch::hear_own(AttachmentIndex by, const RingProbe& probe, std::uint64_t now) {
    const auto sent = std::ranges::find(sent_, probe.sequence, &Sent::sequence);
    // Sent back by the far side of the same link: that may be a ring there, but none that could be cut here.
    if (sent == sent_.end() || sent->kind != probe.kind || sent->by == by) return;
    if (sent->kind == Kind::check) {
        if (const auto cut = cuts_.find(sent->by); cut != cuts_.end()) cut->second.heard = now;
    } else if (round_ && sent->by == round_->out) {
        come_back(by, *sent, now);
    }
}

void RingWatch::come_back(AttachmentIndex by, const Sent& sent, std::uint64_t now) {
    // Split horizon lets nothing pass from mesh to mesh: a node that did so is none to take a ring from.
    const bool can_cut = !find(by)->is_mesh || !find(round_->out)->is_mesh;
    if (!can_cut) return end_round(now);
    if (round_->last_claim == sent.sequence) return cut(find(by)->is_mesh ? round_->out : by, now);
    if (round_->in != kNoAttachment) return;
    round_->in = by;
    round_->decision = std::max(round_->started + kElectionMs, now + kAloneMs);
    round_->next_said = now + kRepeatMs;
    say(Kind::claim, round_->out);
}

void RingWatch::hear_other(AttachmentIndex by, const RingProbe& probe, std::uint64_t now) {
    pass_on(*find(by), probe);
    if (probe.kind == Kind::claim && (rivals_.size() < kMostRivals || rivals_.contains(probe.sender)))
        rivals_[probe.sender] = now;
    if (probe.kind != Kind::change) return;
    rivals_.erase(probe.sender);
    end_round(now);
    relearn(now);
}

void RingWatch::pass_on(const Link& from, const RingProbe& probe) {
    if (probe.hops == 0) return;
    RingProbe next = probe;
    --next.hops;
    for (const Link& link : links_) {
        if (link.attachment == from.attachment || (link.is_mesh && from.is_mesh)) continue;
        if (!cuts_.contains(link.attachment)) outgoing_.push_back({link.attachment, next});
    }
}

bool RingWatch::is_least(std::uint64_t now) const {
    return std::ranges::none_of(
        rivals_, [&](const auto& rival) { return rival.first < number_ && now - rival.second < kRivalMs; });
}

void RingWatch::end_round(std::uint64_t now) {
    round_.reset();
    quiet_until_ = now + kQuietMs;
}

void RingWatch::cut(AttachmentIndex link, std::uint64_t now) {
    cuts_[link] = {.heard = now, .next_check = now + kCheckMs};
    report(Result::cut, link);
    end_round(now);
    announce_change(now);
}

void RingWatch::announce_change(std::uint64_t now) {
    changes_left_ = kChanges;
    next_change_ = now;
    relearn(now);
}

void RingWatch::relearn(std::uint64_t now) {
    if (relearned_ != 0 && now - relearned_ < kRelearnMs) return;
    relearned_ = now;
    report(Result::relearn);
}

void RingWatch::advance(std::uint64_t now) {
    Round& round = *round_;
    const bool is_confirmed = round.in != kNoAttachment;
    if (is_confirmed && now >= round.decision) {
        if (round.last_claim) {
            if (now >= round.decision + kLastClaimMs) end_round(now);
        } else if (is_least(now)) {
            round.decision = now;
            round.last_claim = say(Kind::claim, round.out);
        } else {
            end_round(now);
        }
    } else if (!is_confirmed && now >= round.started + kGiveUpMs) {
        end_round(now);
    } else if (now >= round.next_said) {
        round.next_said = now + kRepeatMs;
        say(is_confirmed ? Kind::claim : Kind::question, round.out);
    }
}

void RingWatch::tick(std::uint64_t now) {
    std::erase_if(rivals_, [now](const auto& rival) { return now - rival.second >= kRivalMs; });
    if (round_) advance(now);
    // Two nodes that both cut one ring, because neither heard the other, should not both lift their cuts at once.
    const std::uint64_t patience = kLiftMs + spread(number_, kCheckMs);
    for (auto at = cuts_.begin(); at != cuts_.end();) {
        auto& [link, cut] = *at;
        if (now - cut.heard >= patience) {
            report(Result::lifted, link);
            announce_change(now);
            at = cuts_.erase(at);
            continue;
        }
        if (now >= cut.next_check) {
            cut.next_check = now + kCheckMs;
            say(Kind::check, link);
        }
        ++at;
    }
    if (changes_left_ == 0 || now < next_change_) return;
    --changes_left_;
    next_change_ = now + kRepeatMs;
    for (const Link& link : links_) say(Kind::change, link.attachment);
}

}  // namespace bulkhead
