// SPDX-License-Identifier: Apache-2.0
#include "control/offload/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/offload/flow_nic.h"
#include "tests/unit/support/bench.h"
#include "vswitch/offload/snapshot_watcher.h"

namespace bulkhead::test {
namespace {

using Kind = FlowRule::Kind;

/// The plan for what is in force.
class Planned : public testing::Test, public SnapshotWatcher {
  protected:
    Planned() {
        bench.vswitch().set_watcher(this);
        bench.segment("blue", 100);
        bench.segment("red", 200);
        bench.access("b1", "blue");
        bench.underlay("nic");
        bench["nic"].set_flows(&nic);
        bench.tunnel("n2", "192.0.2.2", {"blue", "red"});
        bench.tunnel("n3", "192.0.2.3", {"blue"});
    }
    ~Planned() override { bench.vswitch().set_watcher(nullptr); }

    Result<> before_publish(const Snapshot&) override { return {}; }
    void after_publish(const Snapshot& now) override {
        plan = plan_offload(now);
        marks = now.marks;
    }

    std::vector<FlowRule> rules(Kind kind) {
        bench.apply();
        std::vector<FlowRule> all;
        for (const FlowRule& rule : plan[&nic])
            if (rule.kind == kind) all.push_back(rule);
        return all;
    }

    Bench bench;
    FlowNic nic;
    OffloadPlan plan;
    std::vector<MarkEntry> marks;
};

TEST_F(Planned, ARuleForEachTunnelAndSegment) {
    const auto tunnels = rules(Kind::tunnel);
    ASSERT_EQ(tunnels.size(), 3U);
    std::vector<std::pair<std::string, std::uint32_t>> found;
    for (const FlowRule& rule : tunnels) {
        found.emplace_back(rule.remote.to_string(), rule.vni);
        EXPECT_EQ(rule.local.to_string(), "192.0.2.1");
        EXPECT_EQ(rule.destination_mac, 0x0200'0000'00aaULL);
        EXPECT_EQ(rule.udp_port, 4789);
        EXPECT_EQ(marks.at(slot_of(rule.mark)).mark, rule.mark) << "what workers compare with";
    }
    EXPECT_THAT(found, testing::UnorderedElementsAre(std::pair("192.0.2.2", 100U), std::pair("192.0.2.2", 200U),
                                                     std::pair("192.0.2.3", 100U)));
    ASSERT_EQ(rules(Kind::unknown_vni).size(), 1U) << "all tunnels come to one address and port";
}

TEST_F(Planned, NothingIsDroppedWhereTheNodeMayWantIt) {
    bench.model.tunnels.at("n3").keepalive_ms = 300;
    EXPECT_EQ(rules(Kind::unknown_vni).size(), 0U) << "keepalives come in a VNI of their own";
    EXPECT_EQ(rules(Kind::tunnel).size(), 3U);
    bench.model.tunnels.at("n3").keepalive_ms = 0;
    EXPECT_EQ(rules(Kind::unknown_vni).size(), 1U);
}

TEST_F(Planned, OverIpv6AndWithGenevesOptionsWithoutAMark) {
    bench.model.tunnels.clear();
    bench.tunnel("n6", "2001:db8::2", {"blue"});
    bench.tunnel("n7", "192.0.2.7", {"blue"}).type = TunnelType::geneve;
    bench.model.tunnels.at("n7").dst_port = kGenevePort;
    bench.model.tunnels.at("n7").trust_groups = true;
    for (const FlowRule& rule : rules(Kind::tunnel)) EXPECT_EQ(rule.mark, kNoMark) << rule.remote.to_string();
    EXPECT_EQ(rules(Kind::tunnel).size(), 2U);
    EXPECT_EQ(rules(Kind::unknown_vni).size(), 2U) << "of each address and UDP port";
}

TEST_F(Planned, AChangeOfOneThingChangesItsOwnRules) {
    const auto before = rules(Kind::tunnel);
    bench.access("b2", "blue").attachments[0].macs = {MacAddress(0x0200'0000'0009ULL)};
    EXPECT_EQ(rules(Kind::tunnel), before);
    bench.model.tunnels.at("n2").segments = {"blue"};
    const auto after = rules(Kind::tunnel);
    EXPECT_EQ(after.size(), 2U);
    EXPECT_TRUE(std::ranges::includes(before, after));
}

TEST_F(Planned, ASlotThatIsUsedAgainHasAnotherMark) {
    std::set<FlowMark> seen;
    for (int turn = 0; turn < 20; ++turn) {
        bench.model.tunnels.at("n2").segments = {"blue"};
        bench.apply();
        bench.model.tunnels.at("n2").segments = {"blue", "red"};
        for (const FlowRule& rule : rules(Kind::tunnel))
            EXPECT_TRUE(rule.vni != 200 || seen.insert(rule.mark).second) << "turn " << turn;
    }
}

TEST_F(Planned, NothingForANicThatIsNotThere) {
    bench["nic"].set_flows(nullptr);
    bench.apply();
    EXPECT_TRUE(plan.empty());
}

}  // namespace
}  // namespace bulkhead::test
