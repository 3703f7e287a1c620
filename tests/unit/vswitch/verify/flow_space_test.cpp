// SPDX-License-Identifier: Apache-2.0
// The claim on which verification rests: every frame is in one atom, and what is said of an atom's sample, by the
// written rules and by the installed ones, holds of every frame in it.
#include "vswitch/verify/flow_space.h"

#include <algorithm>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "vswitch/explain/rule_steps.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/policy/judge.h"
#include "vswitch/policy/segment_policy.h"
#include "vswitch/verify/stations.h"

namespace bulkhead::test {
namespace {

constexpr const char* kGroups[] = {"a", "b"};
constexpr unsigned kWorlds = 60, kFramesOfWorld = 400;

/// Rules about few values, so that they meet.
class World {
  public:
    explicit World(unsigned seed) : random_(seed) {
        meant_.segments["s"] = {.owner = {}, .name = "s", .tenant = {}};
        installed_.segments["s"] = meant_.segments["s"];
        for (std::uint32_t order = 0, rules = number(0, 12); order < rules; ++order) {
            Policy rule = random_rule(order);
            meant_.policies[{"s", rule.name}] = rule;
            if (chance(4)) continue;  // some are missing, others are not the same
            if (chance(4)) rule = random_rule(order);
            installed_.policies[{"s", rule.name}] = rule;
        }
        from_ = random_attachment(1);
        to_ = random_attachment(2);
        compile();
    }

    unsigned number(unsigned least, unsigned most) {
        return std::uniform_int_distribution<unsigned>(least, most)(random_);
    }
    bool chance(unsigned of) { return number(1, of) == 1; }

    IpAddress address(FlowFamily family) {
        const std::uint32_t host = number(0, 9) == 0 ? number(0, 0xff'ffff) : number(0, 5);
        if (family == FlowFamily::ipv4)
            return chance(8) ? IpAddress::v4(0xe000'0001) : IpAddress::v4(0x0a00'0000 | host);
        IpAddress::Octets octets{0xfd};
        octets[13] = static_cast<std::uint8_t>(host >> 16);
        octets[14] = static_cast<std::uint8_t>(host >> 8);
        octets[15] = static_cast<std::uint8_t>(host);
        return IpAddress(octets);
    }
    std::uint16_t port() { return static_cast<std::uint16_t>(chance(6) ? number(0, 0xffff) : number(60, 70)); }
    MacAddress mac() { return MacAddress(chance(8) ? 0xffff'ffff'ffffULL : 0x0200'0000'0000ULL | number(1, 3)); }

    Model meant_, installed_;
    Attachment from_, to_;
    std::shared_ptr<SegmentPolicy> policy_;
    std::map<std::string, GroupClass> classes_;

  private:
    PolicyEnd random_end() {
        PolicyEnd end;
        if (chance(3)) end.groups = {kGroups[number(0, 1)]};
        const FlowFamily family = chance(3) ? FlowFamily::ipv6 : FlowFamily::ipv4;
        if (chance(3))
            for (unsigned count = number(1, 2); count > 0; --count)
                end.ips.push_back({address(family), static_cast<std::uint8_t>((family == FlowFamily::ipv4 ? 32 : 128) -
                                                                              number(0, chance(5) ? 20 : 2))});
        if (chance(6)) end.macs = {mac()};
        return end;
    }
    std::vector<PortRange> random_ports() {
        std::vector<PortRange> ports;
        if (chance(2)) return ports;
        for (unsigned count = number(1, 2); count > 0; --count) {
            const std::uint16_t first = port(), last = port();
            ports.push_back({std::min(first, last), std::max(first, last)});
        }
        return ports;
    }
    Policy random_rule(std::uint32_t order) {
        constexpr std::uint8_t kProtocols[] = {kProtocolTcp, kProtocolUdp, kProtocolIcmp, kProtocolIcmpv6, 47};
        Policy rule{.owner = {}, .segment = "s", .name = "r" + std::to_string(order), .order = order};
        rule.from = random_end();
        rule.to = random_end();
        const bool names_ips = !rule.from.ips.empty() || !rule.to.ips.empty();
        if (chance(4)) {
            constexpr std::uint16_t kTypes[] = {kEtherTypeIpv4, kEtherTypeIpv6, kEtherTypeArp, 0x88cc};
            rule.ethertype = kTypes[number(0, names_ips ? 1 : 3)];
        }
        const bool may_have_protocol =
            !rule.ethertype || rule.ethertype == kEtherTypeIpv4 || rule.ethertype == kEtherTypeIpv6;
        if (may_have_protocol && !chance(3)) rule.protocol = kProtocols[number(0, 4)];
        if (rule.protocol == kProtocolTcp || rule.protocol == kProtocolUdp) {
            rule.src_ports = random_ports();
            rule.dst_ports = random_ports();
        }
        if ((rule.protocol == kProtocolIcmp || rule.protocol == kProtocolIcmpv6) && chance(2))
            rule.icmp_types = {static_cast<std::uint8_t>(chance(2) ? 8 : number(128, 137))};
        rule.action = chance(2) ? PolicyAction::deny : PolicyAction::allow;
        rule.stateful = !chance(3);
        return rule;
    }
    Attachment random_attachment(unsigned station) {
        Attachment attachment{.vlan = {}, .segment = "s", .macs = {MacAddress(0x0200'0000'0000ULL | station)}};
        if (!chance(3)) attachment.group = kGroups[number(0, 1)];
        attachment.ips = {{address(FlowFamily::ipv4), 32}, {address(FlowFamily::ipv6), 128}};
        attachment.security = chance(3) ? PortSecurity::strict : chance(2) ? PortSecurity::mac : PortSecurity::off;
        attachment.guards = {.router = chance(4), .dhcp_server = chance(4)};
        return attachment;
    }
    void compile() {
        std::vector<const Policy*> rules;
        std::vector<RuleIndex> counters;
        for (const auto& [key, rule] : installed_.policies) rules.push_back(&rule);
        std::ranges::sort(rules, {}, [](const Policy* rule) { return std::tie(rule->order, rule->name); });
        for (std::size_t at = 0; at < rules.size(); ++at) counters.push_back(static_cast<RuleIndex>(at));
        for (const char* group : kGroups)
            classes_[group] = static_cast<GroupClass>(kUnknownGroup + 1 + classes_.size());
        policy_ = std::make_shared<SegmentPolicy>();
        policy_->rules = std::make_shared<const RuleSet>(rules, counters, classes_);
        classes_[""] = kNoGroup;
    }

    std::mt19937 random_;
};

struct Answers {
    std::string written;
    std::uint16_t installed = 0;
    bool operator==(const Answers&) const = default;
};

/// Of all rules, not only of those that an atom leaves.
Answers answers_about(const World& world, const SegmentRules& rules, const FrameKind& kind, const FlowFields& fields) {
    const Flow flow = flow_of(kind, fields);
    const RuleQuestion question{.flow = flow,
                                .from_group = world.from_.group,
                                .to_group = world.to_.group,
                                .source_mac = fields.source_mac.value(),
                                .destination_mac = fields.destination_mac.value()};
    const FlowEnds ends{.from = world.classes_.at(world.from_.group),
                        .to = world.classes_.at(world.to_.group),
                        .source_mac = fields.source_mac.value(),
                        .destination_mac = fields.destination_mac.value()};
    const RuleAnswer answer = ask_rules(rules.written, DefaultPolicy::deny, question);
    return {.written = answer.rule == nullptr ? "" : answer.rule->name,
            .installed = Judge::first_rule(*world.policy_->rules, flow, ends)};
}

struct KnownAtom {
    Atom atom;
    Answers answers;
};

bool holds(const Axis& axis, const Cells& cells, FieldValue value) {
    for (std::uint32_t at = 0; at < axis.cells().size(); ++at) {
        const Axis::Cell& cell = axis.cells()[at];
        const bool is_chosen = cells.empty() ? cell.is_main : std::ranges::binary_search(cells, at);
        if (is_chosen && cell.range.first <= value && value <= cell.range.last) return true;
    }
    return false;
}

bool holds_mac(const Axis& axis, const Cells& cells, MacAddress mac) {
    const bool is_named = std::ranges::any_of(
        axis.cells(), [&](const Axis::Cell& cell) { return !cell.is_others && cell.sample == mac.value(); });
    for (std::uint32_t at = 0; at < axis.cells().size(); ++at) {
        const Axis::Cell& cell = axis.cells()[at];
        const bool is_chosen = cells.empty() || std::ranges::binary_search(cells, at);
        if (is_chosen && (is_named ? !cell.is_others && cell.sample == mac.value() : cell.is_others)) return true;
    }
    return false;
}

bool holds(const FlowSpace& space, const Atom& atom, std::uint16_t kind, const FrameKind& of,
           const FlowFields& fields) {
    if (!std::ranges::binary_search(atom.kinds, kind)) return false;
    const auto in = [&](Slot slot, FieldValue value) {
        return holds(space.axis(slot), atom.cells[index_of(slot)], value);
    };
    const bool has_macs =
        holds_mac(space.axis(Slot::source_mac), atom.cells[index_of(Slot::source_mac)], fields.source_mac) &&
        holds_mac(space.axis(Slot::destination_mac), atom.cells[index_of(Slot::destination_mac)],
                  fields.destination_mac);
    if (!has_macs) return false;
    if (of.family() == FlowFamily::ipv4 &&
        !(in(Slot::source_v4, value_of(*fields.source)) && in(Slot::destination_v4, value_of(*fields.destination))))
        return false;
    if (of.family() == FlowFamily::ipv6 &&
        !(in(Slot::source_v6, value_of(*fields.source)) && in(Slot::destination_v6, value_of(*fields.destination))))
        return false;
    return !of.has_ports() || (in(Slot::source_port, fields.source_port) && in(Slot::service, fields.destination_port));
}

bool is_own(const Attachment& station, const IpAddress& address) {
    return std::ranges::any_of(station.ips, [&](const IpPrefix& ip) { return ip.address == address; });
}

/// Whether the frame is one that these two could exchange: the others need be in no atom.
bool is_possible(const World& world, const FrameKind& kind, const FlowFields& fields) {
    if (!may_send_from(world.from_, fields.source_mac) || !may_get(world.to_, fields.destination_mac)) return false;
    if (fields.source_mac.is_multicast()) return false;
    if (kind.family() == FlowFamily::none) return true;
    const bool is_strict = world.from_.security == PortSecurity::strict;
    if (is_strict && !is_own(world.from_, *fields.source)) return false;
    if (is_strict && fields.source->is_multicast()) return false;
    if (world.to_.security == PortSecurity::strict && !is_own(world.to_, *fields.destination) &&
        !fields.destination->is_multicast())
        return false;
    const bool is_router = kind.family() == FlowFamily::ipv6 && kind.flow.protocol == kProtocolIcmpv6 &&
                           (kind.flow.service == kIcmpv6RouterAdvertisement || kind.flow.service == kIcmpv6Redirect);
    if (world.from_.guards.router && is_router) return false;
    const std::uint16_t client = kind.family() == FlowFamily::ipv4 ? 68 : 546;
    return !(world.from_.guards.dhcp_server && kind.flow.protocol == kProtocolUdp && fields.destination_port == client);
}

TEST(FlowSpace, EveryFrameIsInOneAtomWhoseSampleSpeaksForIt) {
    std::size_t asked = 0, most_atoms = 0;
    for (unsigned seed = 1; seed <= kWorlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        World world(seed);
        const SegmentRules rules(world.meant_, "s", world.policy_.get());
        FlowSpace space(rules, {.from = world.from_,
                                .to = world.to_,
                                .from_class = world.classes_.at(world.from_.group),
                                .to_class = world.classes_.at(world.to_.group)});
        std::vector<KnownAtom> atoms;
        ASSERT_TRUE(space.for_each_atom(1'000'000, [&](const Atom& atom, const FlowSpace::Sample& sample) {
            const FrameKind& kind = rules.kinds[sample.kind];
            atoms.push_back({atom, answers_about(world, rules, kind, sample.fields)});
            ASSERT_TRUE(holds(space, atom, sample.kind, kind, sample.fields)) << "the sample is not in its atom";
            const RuleQuestion question{.flow = flow_of(kind, sample.fields),
                                        .from_group = world.from_.group,
                                        .to_group = world.to_.group,
                                        .source_mac = sample.fields.source_mac.value(),
                                        .destination_mac = sample.fields.destination_mac.value()};
            const RuleAnswer left = ask_rules(sample.rules, DefaultPolicy::deny, question);
            ASSERT_EQ(left.rule == nullptr ? "" : left.rule->name, atoms.back().answers.written)
                << "the rules that are left say something else than all of them";
        }));
        most_atoms = std::max(most_atoms, atoms.size());
        for (unsigned frame = 0; frame < kFramesOfWorld; ++frame) {
            const auto number = static_cast<std::uint16_t>(
                world.chance(2) ? world.number(0, 5) : world.number(0, static_cast<unsigned>(rules.kinds.size()) - 1));
            const FrameKind& kind = rules.kinds[number];
            FlowFields fields = kind.fields;
            fields.source_mac = world.mac();
            fields.destination_mac = world.mac();
            if (kind.family() != FlowFamily::none) {
                const bool is_v4 = kind.family() == FlowFamily::ipv4;
                fields.source = world.chance(2) ? world.from_.ips[is_v4 ? 0 : 1].address : world.address(kind.family());
                fields.destination =
                    world.chance(2) ? world.to_.ips[is_v4 ? 0 : 1].address : world.address(kind.family());
            }
            if (kind.has_ports()) {
                fields.source_port = world.port();
                fields.destination_port = world.port();
            }
            if (!is_possible(world, kind, fields)) continue;
            ++asked;
            const Answers truth = answers_about(world, rules, kind, fields);
            unsigned in = 0;
            for (const KnownAtom& known : atoms) {
                if (!holds(space, known.atom, number, kind, fields)) continue;
                ++in;
                EXPECT_EQ(known.answers.written, truth.written);
                EXPECT_EQ(known.answers.installed, truth.installed);
            }
            EXPECT_EQ(in, 1U) << "atoms that the frame is in";
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(asked, kWorlds * kFramesOfWorld / 10) << "hardly anything was asked";
    EXPECT_GT(most_atoms, 50U);
}

}  // namespace
}  // namespace bulkhead::test
