// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/ring_watches.h"

#include <algorithm>
#include <set>

#include "vswitch/model/guarded_segments.h"

namespace bulkhead {
namespace {

constexpr std::uint64_t kListenMs = 100;  ///< between two reports of one link
constexpr std::uint64_t kMovesMs = 1000;
constexpr unsigned kMostMoves = 5;  ///< of one address within kMovesMs: a pod that moves does so once
constexpr std::size_t kMostMoving = 4096;

RingEvent::Kind kind_of(RingWatch::Outcome::Kind kind) {
    using enum RingWatch::Outcome::Kind;
    if (kind == suspected) return RingEvent::Kind::suspected;
    return kind == cut ? RingEvent::Kind::cut : RingEvent::Kind::lifted;
}

}  // namespace

void RingWatches::adopt(const Model& model, const Indices& indices) {
    const std::set<std::string> guarded = guarded_segments(model);
    std::map<SegmentIndex, std::vector<RingWatch::Link>> links_of;
    std::unordered_map<AttachmentIndex, Link> links;
    for (const std::string& name : guarded) links_of.try_emplace(*indices.segments.find(name));
    for (const auto& [name, tunnel] : model.tunnels) {
        for (const std::string& segment : tunnel.segments) {
            if (!guarded.contains(segment)) continue;
            const SegmentIndex index = *indices.segments.find(segment);
            const AttachmentIndex link = *indices.attachments.find({port_name_of_tunnel(name), segment, 0});
            links_of[index].push_back({link, tunnel.horizon == Horizon::mesh});
            links.emplace(link, Link{index, segment, name});
        }
    }
    for (auto& [segment, watch] : watches_) {
        const auto next = links_of.find(segment);
        watch.set_links(next == links_of.end() ? std::vector<RingWatch::Link>() : next->second);
        carry_out(watch);
    }
    std::erase_if(watches_, [&](const auto& entry) { return !links_of.contains(entry.first); });
    for (const std::string& name : guarded) {
        const SegmentIndex segment = *indices.segments.find(name);
        const auto [watch, is_new] = watches_.try_emplace(segment, number_, model.segments.at(name).vni);
        if (is_new) watch->second.set_links(links_of.at(segment));
    }
    links_ = std::move(links);
}

bool RingWatches::carry_out(RingWatch& watch) {
    bool relearn = false;
    for (const RingWatch::Outcome& outcome : watch.take_outcomes()) {
        if (outcome.kind == RingWatch::Outcome::Kind::relearn) {
            relearn = true;
            continue;
        }
        if (outcome.kind != RingWatch::Outcome::Kind::suspected) {
            guard_.cuts().set(outcome.link, outcome.kind == RingWatch::Outcome::Kind::cut);
        }
        const Link& link = links_.at(outcome.link);
        events_.push_back({kind_of(outcome.kind), link.segment_name, link.tunnel});
    }
    return relearn;
}

bool RingWatches::carry_out_all(std::vector<SegmentIndex>& relearn) {
    bool has_sent = false;
    for (auto& [segment, watch] : watches_) {
        for (const RingWatch::Outgoing& outgoing : watch.take_outgoing()) {
            guard_.send({outgoing.probe, outgoing.by});
            has_sent = true;
        }
        if (carry_out(watch)) relearn.push_back(segment);
    }
    return has_sent;
}

std::vector<SegmentIndex> RingWatches::serve(std::uint64_t now_ms) {
    std::vector<SegmentIndex> relearn;
    if (watches_.empty()) return relearn;
    if (now_ms - listened_ >= kListenMs) {
        listened_ = now_ms;
        guard_.listen();
    }
    guard_.take_signs([&](AttachmentIndex by) {
        if (const auto link = links_.find(by); link != links_.end())
            watches_.at(link->second.segment).suspect(by, now_ms);
    });
    guard_.take_probes([&](const RingGuard::Probe& heard) {
        const auto link = links_.find(heard.attachment);
        if (link == links_.end()) return;
        if (heard.probe.sender != number_ && !passed_on_.take(now_ms)) return;
        watches_.at(link->second.segment).hear(heard.attachment, heard.probe, now_ms);
    });
    for (auto& [segment, watch] : watches_) watch.tick(now_ms);
    if (carry_out_all(relearn)) wake_();
    return relearn;
}

void RingWatches::address_moved(const MacChange& change, std::uint64_t now_ms) {
    if (!is_link(change.attachment) || !is_link(change.was)) return;
    if (now_ms - moves_since_ >= kMovesMs) {
        moves_since_ = now_ms;
        std::erase_if(moves_, [&](const auto& entry) { return now_ms - entry.second.since >= kMovesMs; });
    }
    if (moves_.size() >= kMostMoving && !moves_.contains(change.key)) return;
    Moves& moves = moves_.try_emplace(change.key, Moves{.since = now_ms}).first->second;
    if (now_ms - moves.since >= kMovesMs) moves = {.since = now_ms};
    if (++moves.count < kMostMoves) return;
    moves = {.since = now_ms};
    watches_.at(links_.at(change.attachment).segment).suspect(change.attachment, now_ms);
}

std::vector<std::string> RingWatches::cut_of(const std::string& tunnel) const {
    std::vector<std::string> segments;
    for (const auto& [attachment, link] : links_)
        if (link.tunnel == tunnel && guard_.cuts().is_cut(attachment)) segments.push_back(link.segment_name);
    std::ranges::sort(segments);
    return segments;
}

}  // namespace bulkhead
