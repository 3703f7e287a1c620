// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/explain_packet.h"

#include <array>
#include <memory>
#include <span>
#include <utility>

#include <rte_mbuf.h>

#include "vswitch/explain/explain_mirrors.h"
#include "vswitch/explain/frame_buffer.h"
#include "vswitch/explain/names.h"
#include "vswitch/explain/policy_words.h"
#include "vswitch/pipeline/flood.h"
#include "vswitch/pipeline/policy_reach.h"
#include "vswitch/pipeline/ring_stage.h"
#include "vswitch/pipeline/source_fate.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kRow = 0;  ///< of the only frame

/// One frame on its way. Each step tells what its stage decides; where one drops the frame, the way ends.
class Explainer {
  public:
    Explainer(const LiveTables& tables, Batch& batch)
        : tables_(tables),
          snapshot_(tables.snapshot),
          batch_(batch),
          names_(tables.indices),
          judge_(tables.connections, tables.fragments),
          mirrors_(snapshot_, names_, said_) {}

    PacketExplanation run() {
        if (!(parse() && assign_segment())) return std::move(said_);
        mirrors_.see_entering(batch_, kRow);
        if (!(check_port_security() && guard_rings() && learn())) return std::move(said_);
        const bool goes_on = lookup();
        if (goes_on) mirrors_.see_rules(batch_, kRow, scratch_);
        if (answers() || !goes_on) return std::move(said_);
        if (batch_.egress[kRow] == Batch::kFlood)
            flood();
        else
            unicast();
        return std::move(said_);
    }

  private:
    void tell(StageDecision decision) {
        if (decision.reason != DropReason::none) {
            said_.verdict = PacketVerdict::drop;
            said_.reason = decision.reason;
            said_.egress.clear();
        }
        said_.stages.push_back(std::move(decision));
    }
    /// What a stage that has run says of the frame; false: it is dropped.
    bool tell(const char* stage, std::string otherwise) {
        const DropReason reason = batch_.verdict[kRow];
        const bool alive = reason == DropReason::none;
        tell({.stage = stage,
              .decision = alive ? std::move(otherwise) : std::string(describe(reason)),
              .reason = reason});
        return alive;
    }

    bool parse() {
        bulkhead::parse(batch_);
        return tell("parse", MacAddress(batch_.source[kRow]).to_string() + " to " +
                                 MacAddress(batch_.destination[kRow]).to_string());
    }

    bool assign_segment() {
        bulkhead::assign_segment(batch_, snapshot_, tables_.buffers);
        const AttachmentIndex ingress = batch_.ingress[kRow];
        if (ingress != kNoAttachment) said_.segment = names_.segment(ingress);
        return tell("assign_segment", ingress == kNoAttachment
                                          ? std::string()
                                          : "segment " + said_.segment + ", in by " + names_.spoken(ingress));
    }

    bool check_port_security() {
        if (!snapshot_.attachments[batch_.ingress[kRow]].is_secured) return true;
        bulkhead::check_port_security(batch_, snapshot_);
        return tell("check_port_security", "what the sender says of itself is its attachment's");
    }

    bool guard_rings() {
        find_macs(batch_, tables_.macs);
        if (!snapshot_.segments[batch_.segment[kRow]].is_guarded) return true;
        batch_.verdict[kRow] = would_guard(batch_, kRow, snapshot_, tables_.rings);
        return tell("guard_rings", "no copy of a flooded frame, and by no link that is cut");
    }

    bool learn();
    bool lookup();
    void judge_unicast(const SegmentPolicy& policy);
    void unicast();
    void flood();
    void weed_receivers(const SegmentPolicy& policy, std::vector<AttachmentIndex>& receivers);
    bool answers();

    void read_headers(const SegmentPolicy& policy);
    [[nodiscard]] StageDecision judged(const SegmentPolicy& policy, const Decision& decision, DropReason reason) const {
        return {.stage = "apply_policy",
                .decision = spoken(names_, policy, decision, reason, batch_.ingress[kRow]),
                .reason = reason,
                .rule = rule_name(names_, policy, decision),
                .ground = decision.ground};
    }
    void see_decided(const SegmentPolicy& policy, const Decision& decision) {
        if (decision.rule != RuleSet::kNone) mirrors_.see_decided((*policy.rules)[decision.rule].index);
    }
    /// What carrying a decision out would come to.
    [[nodiscard]] DropReason foretell(const Decision& decision) const {
        const PortIndex port = snapshot_.attachments[batch_.ingress[kRow]].port;
        return judge_.foretell(candidate_, decision, port, snapshot_.connection_shares[port]);
    }

    const LiveTables& tables_;
    const Snapshot& snapshot_;
    Batch& batch_;
    Names names_;
    Judge judge_;
    Candidate candidate_;
    std::array<std::uint8_t, kMostPolicyHeaders> scratch_;
    std::span<const std::uint8_t> octets_;
    PacketExplanation said_;
    MirrorExplainer mirrors_;
};

bool Explainer::learn() {
    const AttachmentIndex ingress = batch_.ingress[kRow];
    const MacValue known = batch_.source_entry(kRow);
    const auto elsewhere = [&] { return "known at " + names_.spoken(known.attachment()); };
    switch (source_fate(known, ingress, snapshot_)) {
        case SourceFate::seen:
            return tell("learn",
                        known.is_static() ? "the source is bound to this attachment" : "the source is known here");
        case SourceFate::stays:
            return tell("learn", "comes back from a middlebox: the source stays " + elsewhere());
        case SourceFate::owned:
            batch_.drop(kRow, DropReason::source_mac_owned);
            return tell("learn", {});
        case SourceFate::learned:
            break;
    }
    if (known.exists()) return tell("learn", "the source would move here; it is " + elsewhere());
    const SegmentIndex segment = batch_.segment[kRow];
    const bool is_full = tables_.macs.learned_in(segment) >= snapshot_.segments[segment].mac_limit;
    return tell("learn", is_full ? "the source would not be learned: the segment has as many as mac_limit allows"
                                 : "the source would be learned here");
}

bool Explainer::lookup() {
    bulkhead::lookup(batch_, snapshot_);
    const AttachmentIndex egress = batch_.egress[kRow];
    if (batch_.alive(kRow) && egress != Batch::kFlood) return tell("lookup", "to " + names_.spoken(egress));
    const bool is_group = is_multicast(batch_.destination[kRow]);
    return tell("lookup",
                is_group ? "to everybody in the segment" : "the destination is unknown: to everybody in the segment");
}

void Explainer::read_headers(const SegmentPolicy& policy) {
    const rte_mbuf* const frame = batch_.frames[kRow];
    octets_ = headers_of(frame, scratch_);
    candidate_.flow.segment = batch_.segment[kRow];
    dissect(octets_, frame->pkt_len, candidate_.flow);
    judge_.name_connection(policy, candidate_);
}

void Explainer::judge_unicast(const SegmentPolicy& policy) {
    read_headers(policy);
    const FlowEnds ends = ends_of(batch_, kRow, snapshot_, batch_.egress[kRow]);
    const Decision decision = judge_.decide(policy, candidate_, ends, octets_, tables_.macs.now_s());
    DropReason reason = foretell(decision);
    const Detour detour = detour_of(policy, decision.rule, batch_.ingress[kRow]);
    if (reason == DropReason::none && detour.is_one) reason = detour.obstacle(snapshot_, batch_.inner_vlan[kRow]);
    tell(judged(policy, decision, reason));
    see_decided(policy, decision);
    if (reason != DropReason::none)
        batch_.drop(kRow, reason);
    else if (detour.is_one)
        batch_.egress[kRow] = detour.to;
}

void Explainer::unicast() {
    const SegmentPolicy* const policy = snapshot_.segments[batch_.segment[kRow]].policy.get();
    if (policy != nullptr) judge_unicast(*policy);
    if (!batch_.alive(kRow)) return;
    const AttachmentIndex egress = batch_.egress[kRow];
    said_.egress.push_back(names_.place(egress));
    mirrors_.see_leaving(batch_, kRow, {&egress, 1});
    tell({.stage = "replicate", .decision = "leaves by " + names_.spoken(egress)});
}

void Explainer::weed_receivers(const SegmentPolicy& policy, std::vector<AttachmentIndex>& receivers) {
    read_headers(policy);
    const Hearing hearing{.judge = judge_,
                          .snapshot = snapshot_,
                          .policy = policy,
                          .candidate = candidate_,
                          .frame = octets_,
                          .now_s = tables_.macs.now_s()};
    const Decision decisive =
        weed(hearing, batch_, kRow, receivers, [&](AttachmentIndex target, const Hearing::Finding& found) {
            DropReason reason = found.decision.reason;
            if (!found.reaches && reason == DropReason::none) reason = DropReason::policy_denied;
            said_.receivers.push_back({.place = names_.place(target),
                                       .reason = reason,
                                       .rule = rule_name(names_, policy, found.decision),
                                       .ground = found.decision.ground});
        });
    DropReason reason = foretell(decisive);
    if (reason == DropReason::none && receivers.empty()) reason = DropReason::port_gone;
    tell(judged(policy, decisive, reason));
    see_decided(policy, decisive);
    if (reason != DropReason::none) batch_.drop(kRow, reason);
}

void Explainer::flood() {
    const SegmentEntry& segment = snapshot_.segments[batch_.segment[kRow]];
    const AttachmentIndex ingress = batch_.ingress[kRow];
    const Flood flood{snapshot_, snapshot_.attachments[ingress], batch_.inner_vlan[kRow]};
    std::vector<AttachmentIndex> receivers;
    receivers.reserve(segment.members.size() + 1);
    for (const AttachmentIndex member : segment.members) {
        const DropReason obstacle = flood.obstacle(member);
        if (obstacle == DropReason::none)
            receivers.push_back(member);
        else if (member != ingress)
            said_.receivers.push_back({.place = names_.place(member), .reason = obstacle});
    }
    if (segment.policy != nullptr && !receivers.empty())
        weed_receivers(*segment.policy, receivers);
    else
        for (const AttachmentIndex receiver : receivers) said_.receivers.push_back({.place = names_.place(receiver)});
    if (!batch_.alive(kRow)) return;
    std::erase_if(receivers, [&flood](AttachmentIndex receiver) { return !flood.reaches(receiver); });
    for (const AttachmentIndex receiver : receivers) said_.egress.push_back(names_.place(receiver));
    mirrors_.see_leaving(batch_, kRow, receivers);
    if (said_.egress.empty()) batch_.drop(kRow, DropReason::no_destination);
    tell("replicate", "leaves by " + std::to_string(said_.egress.size()) + " of " +
                          std::to_string(said_.receivers.size()) + " others in the segment");
}

/// Whether the switch says itself what the frame asks; it may do so where lookup() floods to nobody, too.
bool Explainer::answers() {
    const auto owner = would_answer(batch_, kRow, snapshot_, tables_.macs);
    if (!owner) return false;
    tell({.stage = "answer_requests",
          .decision = "the switch answers with " + owner->to_string() + ", in its owner's place"});
    said_.verdict = PacketVerdict::answer;
    said_.reason = DropReason::none;
    said_.egress = {names_.place(batch_.ingress[kRow])};
    mirrors_.see_answer(batch_, kRow);
    return true;
}

std::unexpected<Error> refused_port(const std::string& name, ErrorCode code, const std::string& why) {
    return failure({.code = code, .message = "port \"" + name + "\" " + why, .field = "/port", .got = name});
}

/// The index of a port that frames of segments can come in by.
Result<PortIndex> port_of(const LiveTables& tables, const std::string& name) {
    const auto index = tunnel_of_port_name(name) ? std::nullopt : tables.indices.ports.find(name);
    if (!index) return refused_port(name, ErrorCode::not_found, "is not there");
    const PortEntry& port = tables.snapshot.ports[*index];
    if (port.underlay != nullptr)
        return refused_port(name, ErrorCode::invalid_params,
                            "is an underlay's: what comes in by it is of no segment yet");
    if (port.io == nullptr) return refused_port(name, ErrorCode::not_ready, "is not open: nothing comes in by it");
    return *index;
}

}  // namespace

Result<PacketExplanation> explain_packet(const LiveTables& tables, const PacketQuestion& question) {
    const auto port = port_of(tables, question.port);
    if (!port) return failure(port.error());
    if (question.frame.size() > PacketQuestion::kLongest)
        return invalid("/frame", "frame is longer than any that a port takes",
                       std::to_string(question.frame.size()) + " octets",
                       "at most " + std::to_string(PacketQuestion::kLongest) + " octets");
    FrameBuffer frame = make_frame(question.frame, question.vlan, tables.buffers);
    if (frame == nullptr)
        return failure(
            {.code = ErrorCode::limit, .message = "no free packet buffer", .field = "/frame", .retryable = true});
    const auto batch = std::make_unique<Batch>();
    batch->port = *port;
    batch->count = 1;
    batch->frames[kRow] = frame.release();
    PacketExplanation said = Explainer(tables, *batch).run();
    frame.reset(batch->frames[kRow]);
    return said;
}

}  // namespace bulkhead
