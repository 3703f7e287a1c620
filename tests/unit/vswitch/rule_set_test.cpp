// SPDX-License-Identifier: Apache-2.0
// Compiled rules answer as the rules read one by one do, however many they are and by whichever way they are asked.
#include "vswitch/policy/rule_set.h"

#include <random>

#include <gtest/gtest.h>

#include "vswitch/explain/rule_steps.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::test {
namespace {

const std::vector<std::string> kGroups{"", "", "web", "db",
                                       "cache"};  // by GroupClass: of none, and not known, have no name

struct RandomRules {
    explicit RandomRules(std::size_t count) : random(static_cast<unsigned>(count)) {
        for (std::size_t at = 0; at < count; ++at) policies.push_back(rule(at));
        std::vector<RuleIndex> counters;
        for (const Policy& policy : policies) {
            written.push_back(&policy);
            counters.push_back(static_cast<RuleIndex>(counters.size()));
        }
        compiled = std::make_unique<RuleSet>(written, counters,
                                             std::map<std::string, GroupClass>{{"web", 2}, {"db", 3}, {"cache", 4}});
    }

    unsigned below(unsigned count) { return static_cast<unsigned>(random() % count); }
    std::uint32_t address() { return 0x0a00'0000 + (below(4) << 8) + below(256); }

    /// Most are about few packets, so that which rule is the first one differs, and that none is happens, too.
    Policy rule(std::size_t at) {
        Policy policy{.segment = "blue", .name = "r" + std::to_string(at)};
        policy.order = static_cast<std::uint32_t>(at);
        policy.action = below(2) == 0 ? PolicyAction::allow : PolicyAction::deny;
        policy.stateful = false;
        const auto prefix = [&] {
            return IpPrefix{IpAddress::v4(address()), static_cast<std::uint8_t>(26 + below(7))};
        };
        if (below(2) == 0) policy.from.groups = {kGroups[2 + below(3)]};
        if (below(2) == 0) policy.to.groups = {kGroups[2 + below(3)]};
        if (below(4) != 0) policy.from.ips = {prefix()};
        if (below(4) != 0) policy.to.ips = {prefix(), prefix()};
        if (below(4) != 0) policy.protocol = below(2) == 0 ? kProtocolTcp : kProtocolUdp;
        if (policy.protocol && below(2) == 0) policy.dst_ports = {ports(), ports()};
        if (policy.protocol && below(4) == 0) policy.src_ports = {ports()};
        return policy;
    }
    PortRange ports() {
        const auto first = static_cast<std::uint16_t>(below(64));
        return {first, static_cast<std::uint16_t>(first + below(20))};
    }

    /// Those from `from` on, as they are written.
    std::size_t expected(const Flow& flow, const FlowEnds& ends, std::size_t from) const {
        const auto begin = written.begin() + static_cast<std::ptrdiff_t>(from);
        const RuleAnswer answer =
            ask_rules({begin, written.end()}, DefaultPolicy::deny,
                      {.flow = flow, .from_group = kGroups[ends.from], .to_group = kGroups[ends.to]});
        return answer.rule == nullptr ? RuleSet::kNone : answer.rule->order;
    }

    Flow flow() {
        Flow flow{.source = {0, address()}, .destination = {0, address()}};
        flow.source_port = static_cast<std::uint16_t>(below(80));
        flow.destination_port = flow.service = static_cast<std::uint16_t>(below(80));
        flow.ethertype = kEtherTypeIpv4;
        flow.family = FlowFamily::ipv4;
        flow.role = FlowRole::opener;
        flow.protocol = below(2) == 0 ? kProtocolTcp : kProtocolUdp;
        return flow;
    }

    std::mt19937 random;
    std::vector<Policy> policies;
    std::vector<const Policy*> written;
    std::unique_ptr<RuleSet> compiled;
};

template <unsigned kWords>
std::size_t usual(RuleSet::Usual<kWords>& usual, const RuleSet& rules, const Flow& flow, const FlowEnds& ends) {
    const CompiledRule& met = usual.first_match({.source = static_cast<std::uint32_t>(flow.source[1]),
                                                 .destination = static_cast<std::uint32_t>(flow.destination[1]),
                                                 .source_port = flow.source_port,
                                                 .destination_port = flow.destination_port,
                                                 .protocol = flow.protocol},
                                                ends.from, ends.to);
    if (met.index == kNoRule) {
        EXPECT_EQ(met.action, PolicyAction::deny);
        return RuleSet::kNone;
    }
    EXPECT_EQ(&met, &rules[met.index]);
    return met.index;
}

class RuleSetOf : public testing::TestWithParam<std::size_t> {};

TEST_P(RuleSetOf, MeetsTheRuleThatIsTheFirstAsWritten) {
    RandomRules rules(GetParam());
    RuleSet::Usual<0> any_number(*rules.compiled);
    RuleSet::Usual<1> one_word(*rules.compiled);
    RuleSet::Usual<2> two_words(*rules.compiled);
    std::size_t none = 0;
    for (int packet = 0; packet < 2000; ++packet) {
        const Flow flow = rules.flow();
        const FlowEnds ends{.from = static_cast<GroupClass>(2 + rules.below(3)),
                            .to = static_cast<GroupClass>(2 + rules.below(3))};
        const std::size_t first = rules.expected(flow, ends, 0);
        ASSERT_EQ(rules.compiled->first_match(flow, ends), first);
        ASSERT_EQ(usual(any_number, *rules.compiled, flow, ends), first);
        if (rules.compiled->words() == 1) {
            ASSERT_EQ(usual(one_word, *rules.compiled, flow, ends), first);
        }
        if (rules.compiled->words() == 2) {
            ASSERT_EQ(usual(two_words, *rules.compiled, flow, ends), first);
        }
        const std::size_t from = rules.below(static_cast<unsigned>(GetParam()) + 1);
        ASSERT_EQ(rules.compiled->first_match(flow, ends, static_cast<std::uint16_t>(from)),
                  rules.expected(flow, ends, from));
        none += first == RuleSet::kNone ? 1 : 0;
    }
    EXPECT_LT(none, 2000U);
}
INSTANTIATE_TEST_SUITE_P(Sizes, RuleSetOf, testing::Values(10, 63, 64, 65, 128, 129, 200, 1000, kMaxRulesOfSegment),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace bulkhead::test
