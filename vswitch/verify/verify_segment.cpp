// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/verify_segment.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "vswitch/explain/names.h"
#include "vswitch/verify/pair_verdicts.h"
#include "vswitch/verify/traffic.h"

namespace bulkhead {
namespace {

constexpr const char* kIsolated = "both are isolated";

/// What one attachment is to all rules and tables: pairs of alike ones have the same verdicts.
using Likeness = std::tuple<std::string, PortSecurity, bool, bool, bool, std::vector<MacAddress>, std::vector<IpPrefix>,
                            GroupClass, bool, bool, std::string>;

/// Atoms of a pair by what becomes of them.
struct Findings {
    struct Discord {
        std::vector<Atom> atoms;
        FlowFields sample;
    };
    std::map<Verdict, std::vector<Atom>> installed, intended;  ///< of those that pass
    std::map<std::pair<Verdict, Verdict>, Discord> discords;
};

/// Who denies does not matter where one side does not come to ask its rules.
bool agree(const Verdict& installed, const Verdict& intended) {
    if (!installed.passes && !intended.passes && (installed.ground == "port" || intended.ground == "port")) return true;
    return installed == intended;
}

class Verifier {
  public:
    Verifier(const InstalledTables& tables, const Judge& judge, const VerificationQuestion& question)
        : tables_(tables),
          judge_(judge),
          question_(question),
          names_(tables.indices),
          rules_(question.intent, question.segment, policy_of(tables, question.segment)),
          attachments_(attachments_of(tables, question.intent, question.segment)) {
        if (question.is_visible)
            std::erase_if(attachments_, [&](const auto& sides) { return !question.is_visible(sides.name.port); });
        sort_alike();
    }

    SegmentVerification run();

  private:
    static const SegmentPolicy* policy_of(const InstalledTables& tables, const std::string& segment) {
        const auto index = tables.indices.segments.find(segment);
        const bool is_there = index && *index < tables.snapshot.segments.size();
        return is_there ? tables.snapshot.segments[*index].policy.get() : nullptr;
    }
    void sort_alike();
    [[nodiscard]] Likeness likeness_of(const AttachmentSides& sides) const;
    [[nodiscard]] bool wants(const AttachmentSides& from, const AttachmentSides& to) const;
    [[nodiscard]] VerifiedPair verified(std::size_t from, std::size_t to);
    [[nodiscard]] VerifiedPair looked_at(const AttachmentSides& from, const AttachmentSides& to);
    [[nodiscard]] InstalledSide installed_side(const AttachmentSides& from, const AttachmentSides& to) const;
    [[nodiscard]] IntendedSide intended_side(const AttachmentSides& from, const AttachmentSides& to) const;
    void tell(VerifiedPair& pair, const Findings& findings, const FlowSpace& space) const;

    const InstalledTables& tables_;
    const Judge& judge_;
    const VerificationQuestion& question_;
    Names names_;
    SegmentRules rules_;
    std::vector<AttachmentSides> attachments_;
    std::vector<std::size_t> likeness_;                                  ///< by attachment
    std::map<std::pair<std::size_t, std::size_t>, VerifiedPair> known_;  ///< by likeness; without differences
    std::size_t cost_ = 0;
};

/// Addresses count only where they can make a difference.
Likeness Verifier::likeness_of(const AttachmentSides& sides) const {
    const Attachment meant = sides.meant == nullptr ? Attachment() : *sides.meant;
    const bool is_held = meant.security != PortSecurity::off;
    const bool is_strict = meant.security == PortSecurity::strict;
    const AttachmentIndex index = sides.installed;
    const bool is_there = index != kNoAttachment;
    // Rules that redirect there let pass what comes from there, and one that differs is like no other.
    const bool is_alone = (is_there && tables_.snapshot.attachments[index].is_middlebox) ||
                          !sides.differences.empty() || std::ranges::any_of(rules_.written, [&](const Policy* rule) {
                              return !rule->to_port.empty() && rule->to_port == sides.name.port;
                          });
    return {meant.group,
            meant.security,
            meant.guards.router,
            meant.guards.dhcp_server,
            meant.isolated,
            rules_.asks_macs && is_held ? meant.macs : std::vector<MacAddress>(),
            is_strict ? meant.ips : std::vector<IpPrefix>(),
            is_there ? tables_.snapshot.group_classes[index] : kNoGroup,
            is_there,
            is_there && tables_.snapshot.attachments[index].isolated,
            is_alone ? sides.name.to_string() : std::string()};
}

void Verifier::sort_alike() {
    std::map<Likeness, std::size_t> classes;
    for (const AttachmentSides& sides : attachments_) {
        Likeness likeness = likeness_of(sides);
        auto& ips = std::get<std::vector<IpPrefix>>(likeness);
        if (!rules_.asks_ips) {  // which they are does not matter, but whether there are any of a family
            std::vector<IpPrefix> families;
            for (const bool is_v4 : {true, false})
                if (std::ranges::any_of(ips, [&](const IpPrefix& ip) { return ip.address.is_v4() == is_v4; }))
                    families.push_back({is_v4 ? IpAddress::v4(0) : IpAddress(), 0});
            ips = std::move(families);
        }
        likeness_.push_back(classes.emplace(std::move(likeness), classes.size()).first->second);
    }
}

bool Verifier::wants(const AttachmentSides& from, const AttachmentSides& to) const {
    if (from.name.port == to.name.port) return false;  // a frame never leaves by the port that it came in by
    if (!question_.to.empty() && to.name.port != question_.to) return false;
    return !question_.after || std::pair(from.name, to.name) > *question_.after;
}

SegmentVerification Verifier::run() {
    SegmentVerification result;
    result.differences = segment_differences(tables_, question_.intent, question_.segment);
    for (const AttachmentSides& sides : attachments_)
        if (!sides.differences.empty()) result.attachments.push_back({sides.name, sides.differences});
    for (std::size_t from = 0; from < attachments_.size(); ++from) {
        const AttachmentName& name = attachments_[from].name;
        if (!question_.from.empty() && name.port != question_.from) continue;
        if (question_.after && name < question_.after->first) continue;
        for (std::size_t to = 0; to < attachments_.size(); ++to) {
            if (!wants(attachments_[from], attachments_[to])) continue;
            const bool is_enough = result.pairs.size() >= question_.limit ||
                                   (cost_ >= VerificationQuestion::kMostFlows && !result.pairs.empty());
            if (is_enough) {
                result.has_more = true;
                return result;
            }
            result.pairs.push_back(verified(from, to));
        }
    }
    return result;
}

VerifiedPair Verifier::verified(std::size_t from, std::size_t to) {
    const auto likeness = std::pair(likeness_[from], likeness_[to]);
    const AttachmentSides &sender = attachments_[from], &receiver = attachments_[to];
    VerifiedPair pair;
    if (const auto known = known_.find(likeness); known != known_.end()) {
        pair = known->second;
    } else {
        pair = looked_at(sender, receiver);
        if (pair.differences.empty()) known_.emplace(likeness, pair);
    }
    pair.from = sender.name;
    pair.to = receiver.name;
    return pair;
}

InstalledSide Verifier::installed_side(const AttachmentSides& from, const AttachmentSides& to) const {
    const Snapshot& snapshot = tables_.snapshot;
    InstalledSide side{.snapshot = snapshot,
                       .judge = judge_,
                       .names = names_,
                       .policy = rules_.installed,
                       .obstacle = {},
                       .from = from.installed};
    for (const AttachmentSides* end : {&from, &to})
        if (!end->obstacle.empty()) side.obstacle = end->name.to_string() + ": " + end->obstacle;
    if (from.installed == kNoAttachment || to.installed == kNoAttachment) return side;
    const AttachmentEntry &sender = snapshot.attachments[from.installed],
                          &receiver = snapshot.attachments[to.installed];
    if (side.obstacle.empty() && sender.isolated && receiver.isolated) side.obstacle = kIsolated;
    side.ends.from = snapshot.group_classes[from.installed];
    side.ends.to = snapshot.group_classes[to.installed];
    return side;
}

IntendedSide Verifier::intended_side(const AttachmentSides& from, const AttachmentSides& to) const {
    IntendedSide side{.model = question_.intent,
                      .segment = question_.segment,
                      .otherwise = rules_.otherwise,
                      .obstacle = {},
                      .from_port = from.name.port,
                      .from_group = from.meant == nullptr ? std::string() : from.meant->group,
                      .to_group = to.meant == nullptr ? std::string() : to.meant->group};
    for (const AttachmentSides* end : {&from, &to})
        if (end->meant == nullptr) side.obstacle = end->name.to_string() + ": nobody configured it";
    if (side.obstacle.empty() && from.meant->isolated && to.meant->isolated) side.obstacle = kIsolated;
    return side;
}

VerifiedPair Verifier::looked_at(const AttachmentSides& from, const AttachmentSides& to) {
    VerifiedPair pair;
    const InstalledSide installed = installed_side(from, to);
    const IntendedSide intended = intended_side(from, to);
    if (!installed.obstacle.empty() && !intended.obstacle.empty()) return pair;
    const Attachment unknown;
    FlowSpace space(rules_, {.from = from.meant == nullptr ? unknown : *from.meant,
                             .to = to.meant == nullptr ? unknown : *to.meant,
                             .from_class = installed.ends.from,
                             .to_class = installed.ends.to});
    Findings findings;
    const bool is_whole =
        space.for_each_atom(question_.most_flows_of_pair, [&](const Atom& atom, const FlowSpace::Sample& sample) {
            const FrameKind& kind = rules_.kinds[sample.kind];
            const Verdict is = installed.of(kind, sample.fields), should = intended.of(kind, sample);
            const std::string resolution(to_string(Ground::resolution));
            if (is.passes && is.ground != resolution) findings.installed[is].push_back(atom);
            if (should.passes && should.ground != resolution) findings.intended[should].push_back(atom);
            pair.reachable |= is.passes && !kind.is_resolution();
            pair.intended |= should.passes && !kind.is_resolution();
            if (agree(is, should)) return;
            const auto [discord, is_new] = findings.discords.try_emplace({is, should});
            discord->second.atoms.push_back(atom);
            if (is_new) discord->second.sample = sample.fields;
        });
    if (!is_whole)
        pair.incomplete = "rules tell apart more flows than are looked at: about " +
                          std::to_string(question_.most_flows_of_pair) + " were";
    tell(pair, findings, space);
    for (Difference& difference : pair.differences) {
        difference.from_group = intended.from_group;
        difference.to_group = intended.to_group;
    }
    cost_ += space.cost() + 1;
    return pair;
}

void Verifier::tell(VerifiedPair& pair, const Findings& findings, const FlowSpace& space) const {
    const auto shorten = [](std::vector<Traffic>& traffic) -> std::size_t {
        if (traffic.size() <= VerificationQuestion::kMostTraffic) return 0;
        const std::size_t left_out = traffic.size() - VerificationQuestion::kMostTraffic;
        traffic.resize(VerificationQuestion::kMostTraffic);
        return left_out;
    };
    const auto say = [&](const std::map<Verdict, std::vector<Atom>>& passing, std::vector<Traffic>& said) {
        for (const auto& [verdict, atoms] : passing) {
            std::vector<Atom> together = merged(atoms, space);
            leave_out_addressless(together, space);
            for (Traffic& traffic : traffic_of(together, space, rules_)) {
                traffic.verdict = verdict;
                said.push_back(std::move(traffic));
            }
        }
        return shorten(said);
    };
    pair.allowed_left_out = say(findings.installed, pair.allowed);
    pair.meant_left_out = say(findings.intended, pair.meant);
    for (const auto& [verdicts, discord] : findings.discords) {
        Difference difference{.installed = verdicts.first,
                              .intended = verdicts.second,
                              .traffic = traffic_of(merged(discord.atoms, space), space, rules_),
                              .sample = discord.sample,
                              .from_group = {},
                              .to_group = {}};
        difference.left_out = shorten(difference.traffic);
        pair.differences.push_back(std::move(difference));
    }
}

}  // namespace

SegmentVerification verify_segment(const InstalledTables& tables, const Judge& judge,
                                   const VerificationQuestion& question) {
    return Verifier(tables, judge, question).run();
}

}  // namespace bulkhead
