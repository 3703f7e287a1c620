// SPDX-License-Identifier: Apache-2.0
// Policy over time: connections that age, rules that change under them, shares, detours and counters. What becomes of
// single frames is the table of policy_cases_test.cpp.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/support/ip_frames.h"
#include "vswitch/packet/tcp.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/connection_track.h"

namespace bulkhead::test {
namespace {

/// Ports "1", "2", … of station 1, 2, …, in a segment that denies.
struct PolicyOverTime : testing::Test {
    PolicyOverTime() {
        bench.segment("blue", 100).default_policy = DefaultPolicy::deny;
        for (unsigned station = 1; station <= 3; ++station) add(station, "blue");
        allow(kUdp, 53);
        bench.apply();
    }
    void add(unsigned station, const std::string& segment) {
        bench.access(std::to_string(station), segment).attachments[0].macs = {
            MacAddress(0x0200'0000'0000ULL | station)};
    }
    void allow(std::uint8_t protocol, std::uint16_t port) {
        const std::string name = "allow-" + std::to_string(port);
        bench.model.policies[{"blue", name}] = rule(name, 10, PolicyAction::allow, protocol, port);
    }
    bool passes(const Ends& ends, const Bytes& bytes) {
        const auto sent = bench.pass(std::to_string(ends.from), bytes);
        const bool passed = sent == std::map<std::string, std::vector<Bytes>>{{std::to_string(ends.to), {bytes}}};
        EXPECT_TRUE(passed || sent.empty()) << "it went elsewhere, too";
        return passed;
    }
    bool passes(const Ends& ends) { return passes(ends, udp(ends)); }

    Bench bench;
    const Ends query{1, 2, 4000, 53};
};

TEST_F(PolicyOverTime, AnAnswerPassesForAsLongAsItMayTake) {
    EXPECT_FALSE(passes(query.back()));
    EXPECT_TRUE(passes(query));
    bench.now_s += 30;
    bench.vswitch().housekeeping();
    EXPECT_TRUE(passes(query.back()));
    bench.now_s += 120;
    bench.vswitch().housekeeping();
    EXPECT_TRUE(passes(query.back()));
    bench.now_s += 121;
    bench.vswitch().housekeeping();
    EXPECT_FALSE(passes(query.back()));
}

TEST_F(PolicyOverTime, AnUnansweredQueryIsForgottenSooner) {
    EXPECT_TRUE(passes(query));
    bench.now_s += 31;
    bench.vswitch().housekeeping();
    EXPECT_FALSE(passes(query.back()));
    for (int second = 0; second < 10; ++second) bench.vswitch().housekeeping();
    EXPECT_EQ(bench.vswitch().connection_count(), 0U);
}

TEST_F(PolicyOverTime, ConnectionsAreJudgedAnewWhenRulesChange) {
    EXPECT_TRUE(passes(query));
    EXPECT_TRUE(passes(query.back()));
    allow(kUdp, 123);  // another rule: nothing changes for this one
    bench.apply();
    EXPECT_TRUE(passes(query.back()));
    EXPECT_TRUE(passes(query));
    bench.model.policies[{"blue", "no"}] = rule("no", 1, PolicyAction::deny, kUdp, 53);
    bench.apply();
    EXPECT_FALSE(passes(query.back()));
    EXPECT_FALSE(passes(query));
    bench.model.policies.erase({"blue", "no"});
    bench.apply();
    EXPECT_FALSE(passes(query.back())) << "it has ended";
    EXPECT_TRUE(passes(query));
    EXPECT_TRUE(passes(query.back()));
}

TEST_F(PolicyOverTime, AGroupThatIsTakenAwayTakesItsRightsAlong) {
    bench.model.policies.clear();
    bench.model.groups[{"blue", "web"}] = {.owner = {}, .segment = "blue", .name = "web", .id = 7};
    Policy policy = rule("web", 1, PolicyAction::allow, kUdp, 53);
    policy.from.groups = {"web"};
    bench.model.policies[{"blue", "web"}] = policy;
    bench.apply();
    EXPECT_FALSE(passes(query));
    bench.model.ports["1"].attachments[0].group = "web";
    bench.apply();
    EXPECT_TRUE(passes(query));
    EXPECT_TRUE(passes(query.back()));
    bench.model.ports["1"].attachments[0].group.clear();
    bench.apply();
    EXPECT_FALSE(passes(query.back()));
}

TEST_F(PolicyOverTime, APortHasAShareOfTheTable) {
    std::uint32_t opened = 0;
    for (std::uint16_t port = 1; port <= 4000; ++port) opened += passes({1, 2, port, 53}) ? 1 : 0;
    EXPECT_EQ(opened, 3072U) << "three quarters of the small table of a test";
    EXPECT_EQ(bench.drops(DropReason::connection_limit), 4000U - opened);
    EXPECT_TRUE(passes(Ends{1, 2, 1, 53}.back())) << "those that are open go on";
    bench.remove("1");
    EXPECT_EQ(bench.vswitch().connection_count(), 0U);
}

TEST_F(PolicyOverTime, ASegmentKnowsNothingOfAnEarlierOne) {
    EXPECT_TRUE(passes(query));
    const Model before = bench.model;
    bench.model.segments.erase("blue");
    bench.model.policies.clear();
    for (auto& [name, port] : bench.model.ports) port.attachments.clear();
    bench.apply();
    bench.model = before;
    bench.apply();
    EXPECT_FALSE(passes(query.back()));
}

TEST_F(PolicyOverTime, RulesCountWhatTheyDecide) {
    EXPECT_TRUE(passes(query));
    EXPECT_TRUE(passes(query.back()));
    EXPECT_TRUE(passes(query));
    const RuleHits hits = bench.vswitch().rule_hits("blue", "allow-53");
    EXPECT_EQ(hits.packets, 3U);
    EXPECT_EQ(hits.bytes, 3 * udp(query).size());
    bench.model.policies.erase({"blue", "allow-53"});
    bench.apply();
    allow(kUdp, 123);
    bench.apply();
    EXPECT_EQ(bench.vswitch().rule_hits("blue", "allow-123").packets, 0U) << "an index used again starts anew";
}

TEST_F(PolicyOverTime, ADetourLeadsThereAndBackAndOn) {
    bench.model.policies.clear();
    Policy detour = rule("inspect", 1, PolicyAction::redirect, kUdp, 53);
    detour.to_port = "3";
    bench.model.policies[{"blue", "inspect"}] = detour;
    bench.apply();
    const auto through = [&](const Ends& ends) {
        const Bytes bytes = udp(ends);
        const std::map<std::string, std::vector<Bytes>> box{{"3", {bytes}}}, end{{std::to_string(ends.to), {bytes}}};
        EXPECT_EQ(bench.pass(std::to_string(ends.from), bytes), box);
        EXPECT_EQ(bench.pass("3", bytes), end) << "back from there it goes on";
    };
    through(query);
    through(query.back());
    through(query);
    EXPECT_FALSE(passes({3, 1, 9, 9})) << "the box has no rights of its own";
    bench.remove("3");
    EXPECT_TRUE(bench.pass("1", udp(query)).empty()) << "nobody gets round what is not there";
}

TEST_F(PolicyOverTime, ATcpConnectionAges) {
    allow(kTcp, 80);
    bench.apply();
    const Ends web{1, 2, 4000, 80};
    const auto segment = [](const Ends& ends, std::uint8_t flags, std::uint32_t sequence) {
        return packet(ends, kTcp, flags, sequence);
    };
    EXPECT_TRUE(passes(web, segment(web, kTcpSyn, 100)));
    EXPECT_TRUE(passes(web.back(), segment(web.back(), kTcpSyn | kTcpAck, 500)));
    EXPECT_TRUE(passes(web, segment(web, kTcpAck, 101)));
    bench.now_s += 7000;
    bench.vswitch().housekeeping();
    EXPECT_TRUE(passes(web.back(), segment(web.back(), kTcpAck, 501)));
    EXPECT_TRUE(passes(web, segment(web, kTcpAck | kTcpFin, 101)));
    EXPECT_TRUE(passes(web.back(), segment(web.back(), kTcpAck | kTcpFin, 501)));
    EXPECT_TRUE(passes(web, segment(web, kTcpAck, 102))) << "the last acknowledgment";
    bench.now_s += 121;
    bench.vswitch().housekeeping();
    EXPECT_FALSE(passes(web, segment(web, kTcpAck, 102)));
}

TEST(ConnectionTable, WorkersOpenAndFindWhileControlMakesRoom) {
    const auto table = ConnectionTable::create(1U << 10);
    ASSERT_TRUE(table);
    std::atomic<bool> stop = false;
    const auto work = [&](std::uint32_t first) {
        for (std::uint32_t number = first; !stop; number = first + (number + 1) % 500) {
            Flow flow;
            flow.family = FlowFamily::ipv4;
            flow.role = FlowRole::opener;
            flow.protocol = kUdp;
            flow.source[1] = number;
            flow.destination[1] = 7;
            const ConnectionKey key = connection_key(flow);
            const std::uint64_t hash = table->hash(key);
            Connection* connection = table->find(key, hash);
            if (connection == nullptr)
                connection = table->open(key, hash, first_status(key, flow, 1), {.rule = 1, .port = 1}, 1U << 20);
            if (connection != nullptr) {
                EXPECT_TRUE(connection->is(key));
            }
        }
    };
    // Nobody is waited for: a place that is used again while somebody looks at it is what this test must not do.
    std::thread one(work, 0), other(work, 250);
    for (int round = 0; round < 200; ++round) table->for_each([](std::size_t, const Connection&) { return true; });
    stop = true;
    one.join();
    other.join();
    EXPECT_EQ(table->size(), table->of_port(1));
    std::size_t counted = 0;
    table->for_each([&counted](std::size_t, const Connection&) { return ++counted > 0; });
    EXPECT_EQ(counted, table->size());
    table->erase_if([](const Connection&) { return true; }, 0, 1);
    EXPECT_EQ(table->size(), 0U);
    EXPECT_EQ(table->of_port(1), 0U);
}

}  // namespace
}  // namespace bulkhead::test
