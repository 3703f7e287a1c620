// SPDX-License-Identifier: Apache-2.0
// What rules with `log` tell: of which frames, how often, and in whose name.
#include "vswitch/policy/policy_log.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/support/ip_frames.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead::test {
namespace {

constexpr std::uint64_t kSecond = 1000;  // cycles
constexpr AttachmentIndex kPort = 3, kOther = 4;
constexpr RuleIndex kRule = 7, kSecondRule = 8;

TEST(RateShares, LetBurstAndRateThroughAndNoMore) {
    RateShares shares(2, 10, 20, kSecond);
    const auto taken = [&](std::size_t of, std::uint64_t now) {
        unsigned count = 0;
        while (count < 100 && shares.take(of, now)) ++count;
        return count;
    };
    EXPECT_EQ(taken(0, 100 * kSecond), 20U);
    EXPECT_EQ(taken(1, 100 * kSecond), 20U) << "each has its own";
    EXPECT_EQ(taken(0, 100 * kSecond + 99), 0U);
    EXPECT_EQ(taken(0, 100 * kSecond + 100), 1U);
    EXPECT_EQ(taken(0, 101 * kSecond + 100), 10U);
    EXPECT_EQ(taken(0, 200 * kSecond), 20U) << "a long rest saves no more than the burst";
}

struct Shares : testing::Test {
    unsigned told(AttachmentIndex port, RuleIndex rule, unsigned frames, std::uint64_t now = 100 * kSecond) {
        unsigned count = 0;
        for (unsigned frame = 0; frame < frames; ++frame) count += log.has_share(port, rule, now) ? 1 : 0;
        return count;
    }
    PolicyLog log{kSecond};
};

TEST_F(Shares, WhoFloodsTakesNobodysButItsOwn) {
    const unsigned told_first = told(kPort, kRule, 1000);
    EXPECT_EQ(told_first, PolicyLog::kOfPortAtOnce + PolicyLog::kOfRuleAtOnce);
    EXPECT_EQ(told(kOther, kRule, 1), 1U) << "of another port, by the rule that is flooded";
    EXPECT_EQ(told(kPort, kSecondRule, 1), 1U) << "of the port that floods, by another rule";
    EXPECT_EQ(log.untold(), 1000 - told_first);
    EXPECT_EQ(log.untold(kPort), log.untold());
    EXPECT_EQ(log.untold(kOther), 0U);
}

TEST_F(Shares, ARecordWithoutRoomCountsAsUntold) {
    PolicyRecord record{.source_port = 0, .destination_port = 0};
    record.ingress = kPort;
    for (unsigned at = 0; at < PolicyLog::kWaiting + 5; ++at) {
        record.length = at;
        log.tell(record);
    }
    EXPECT_EQ(log.untold(kPort), 5U);
    for (unsigned at = 0; at < PolicyLog::kWaiting; ++at) {
        ASSERT_TRUE(log.pop(record));
        EXPECT_EQ(record.length, at);
    }
    EXPECT_FALSE(log.pop(record));
}

/// Ports "1", "2" and "3" of stations of these numbers, in a segment that allows.
struct PolicyLogging : testing::Test {
    PolicyLogging() {
        bench.segment("blue", 100);
        for (unsigned station = 1; station <= 3; ++station)
            bench.access(std::to_string(station), "blue").attachments[0].macs = {
                MacAddress(0x0200'0000'0000ULL | station)};
        bench.apply();
        (void)bench.vswitch().take_policy_log();
    }
    Policy& add(const std::string& name, std::uint32_t order, PolicyAction action, std::uint8_t protocol,
                std::uint16_t port, bool log = true) {
        Policy policy = rule(name, order, action, protocol, port);
        policy.log = log;
        return bench.model.policies[{"blue", name}] = policy;
    }
    std::vector<PolicyLogEntry> send(const Ends& ends, const Bytes& bytes) {
        bench.pass(std::to_string(ends.from), bytes);
        return bench.vswitch().take_policy_log();
    }
    std::vector<PolicyLogEntry> send(const Ends& ends) { return send(ends, udp(ends)); }
    std::vector<std::string> rules_that_tell(const Ends& ends, const Bytes& bytes) {
        std::vector<std::string> rules;
        for (const PolicyLogEntry& entry : send(ends, bytes)) rules.push_back(entry.frame ? entry.frame->rule : "");
        return rules;
    }

    Bench bench;
    const Ends query{1, 2, 4000, 53};
};

TEST_F(PolicyLogging, AnEntryHasAllOfItsFrame) {
    add("no-dns", 1, PolicyAction::deny, kUdp, 53);
    bench.apply();
    const auto before = std::chrono::system_clock::now();
    const auto entries = send(query);
    ASSERT_EQ(entries.size(), 1U);
    const PolicyLogEntry& entry = entries[0];
    EXPECT_LE(std::chrono::abs(entry.time - before), std::chrono::seconds(5));
    EXPECT_EQ(entry.place.to_string(), "1");
    EXPECT_EQ(entry.place.vlan, std::nullopt);
    EXPECT_EQ(entry.segment, "blue");
    EXPECT_EQ(entry.suppressed, 0U);
    ASSERT_TRUE(entry.frame);
    const LoggedFrame& frame = *entry.frame;
    EXPECT_EQ(frame.rule, "no-dns");
    EXPECT_EQ(frame.action, PolicyAction::deny);
    EXPECT_EQ(frame.reason, DropReason::policy_denied);
    EXPECT_EQ(frame.length, udp(query).size());
    EXPECT_EQ(frame.source_mac.to_string(), "02:00:00:00:00:01");
    EXPECT_EQ(frame.destination_mac.to_string(), "02:00:00:00:00:02");
    EXPECT_EQ(frame.ethertype, 0x0800);
    EXPECT_EQ(frame.source->to_string(), "10.0.0.1");
    EXPECT_EQ(frame.destination->to_string(), "10.0.0.2");
    EXPECT_EQ(frame.protocol, kUdp);
    EXPECT_EQ(frame.source_port, 4000);
    EXPECT_EQ(frame.destination_port, 53);
    EXPECT_FALSE(frame.icmp_type || frame.icmp_code || frame.tcp_flags);
}

TEST_F(PolicyLogging, OnlyRulesThatSaySoTell) {
    add("no-dns", 1, PolicyAction::deny, kUdp, 53, false);
    add("web", 1, PolicyAction::allow, kTcp, 80, false);
    add("ntp", 1, PolicyAction::allow, kUdp, 123, false).stateful = false;
    bench.model.segments["blue"].default_policy = DefaultPolicy::deny;
    bench.apply();
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{53, 80, 123, 9})
        for (const std::uint8_t protocol : {kTcp, kUdp})
            EXPECT_TRUE(send(query, packet({1, 2, 4000, port}, protocol, kTcpSyn)).empty());
}

TEST_F(PolicyLogging, OfAConnectionItsOpeningIsTold) {
    add("web", 1, PolicyAction::allow, kTcp, 80);
    bench.model.segments["blue"].default_policy = DefaultPolicy::deny;
    bench.apply();
    const Ends web{1, 2, 4000, 80};
    const auto opening = send(web, packet(web, kTcp, kTcpSyn, 100));
    ASSERT_EQ(opening.size(), 1U);
    EXPECT_EQ(opening[0].frame->action, PolicyAction::allow);
    EXPECT_EQ(opening[0].frame->reason, DropReason::none);
    EXPECT_EQ(opening[0].frame->tcp_flags, kTcpSyn);
    EXPECT_TRUE(send(web.back(), packet(web.back(), kTcp, kTcpSyn | kTcpAck, 500)).empty());
    EXPECT_TRUE(send(web, packet(web, kTcp, kTcpAck, 101)).empty());
    bench.model.policies[{"blue", "other"}] = rule("other", 9, PolicyAction::allow, kUdp, 9);
    bench.apply();
    EXPECT_TRUE(send(web, packet(web, kTcp, kTcpAck, 101)).empty()) << "judged anew it is still the same connection";
    EXPECT_TRUE(send({3, 2, 1, 80}, packet({3, 2, 1, 80}, kTcp, kTcpAck, 7)).empty()) << "a stray one";
}

TEST_F(PolicyLogging, WithoutStateEachFrameIs) {
    add("web", 1, PolicyAction::allow, kUdp, 80).stateful = false;
    add("quiet", 2, PolicyAction::allow, kUdp, 81, false).stateful = false;
    bench.apply();
    for (int frame = 0; frame < 3; ++frame) {
        const auto told = send({1, 2, 4000, 80});
        ASSERT_EQ(told.size(), 1U);
        EXPECT_EQ(told[0].frame->reason, DropReason::none);
        EXPECT_TRUE(send({1, 2, 4000, 81}).empty());
    }
    EXPECT_EQ(bench.vswitch().rule_hits("blue", "web").packets, 3U);
}

TEST_F(PolicyLogging, WhatTheTableHasNoRoomForIsToldSo) {
    add("dns", 1, PolicyAction::allow, kUdp, 53);
    bench.model.ports.at("1").limits.connections = 1;
    bench.apply();
    EXPECT_EQ(send(query)[0].frame->reason, DropReason::none);
    const auto refused = send({1, 2, 4001, 53});
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].frame->action, PolicyAction::allow);
    EXPECT_EQ(refused[0].frame->reason, DropReason::connection_limit);
}

TEST_F(PolicyLogging, AFrameForManyIsToldOnceByEachRule) {
    bench.model.groups[{"blue", "a"}] = {.owner = {}, .segment = "blue", .name = "a", .id = 1};
    for (unsigned station = 4; station <= 6; ++station) bench.access(std::to_string(station), "blue");
    for (const char* port : {"2", "3"}) bench.model.ports.at(port).attachments[0].group = "a";
    add("not-to-a", 1, PolicyAction::deny, kUdp, 53).to.groups = {"a"};
    add("to-others", 2, PolicyAction::allow, kUdp, 53);
    bench.apply();
    const Ends flooded{1, 0xff, 4000, 53};
    EXPECT_THAT(rules_that_tell(flooded, udp(flooded)), testing::UnorderedElementsAre("not-to-a", "to-others"));
    add("to-others", 2, PolicyAction::allow, kUdp, 53, false);
    bench.apply();
    const Ends again{1, 0xff, 4001, 53};
    EXPECT_THAT(rules_that_tell(again, udp(again)), testing::ElementsAre("not-to-a"));
    EXPECT_THAT(rules_that_tell(again, udp(again)), testing::IsEmpty()) << "it is of a connection by now";
    add("not-to-a", 1, PolicyAction::deny, kUdp, 53);
    bench.apply();
    EXPECT_THAT(rules_that_tell(flooded, udp(flooded)), testing::ElementsAre("not-to-a"));
    EXPECT_THAT(rules_that_tell(flooded, udp(flooded)), testing::ElementsAre("not-to-a")) << "of each frame, once";
}

TEST_F(PolicyLogging, WhatIsSuppressedAddsUpByPort) {
    add("no-dns", 1, PolicyAction::deny, kUdp, 53);
    bench.apply();
    constexpr unsigned kFlood = 5000;
    std::map<std::string, std::uint64_t> records, suppressed;
    const auto take = [&] {
        for (const PolicyLogEntry& entry : bench.vswitch().take_policy_log()) {
            records[entry.place.port] += entry.frame ? 1 : 0;
            suppressed[entry.place.port] += entry.suppressed;
            EXPECT_TRUE(entry.frame || entry.suppressed > 0);
        }
    };
    const auto began = std::chrono::steady_clock::now();
    for (unsigned frame = 0; frame < kFlood; ++frame) bench["1"].inject(udp(query));
    bench.run();
    take();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(records["1"], PolicyLog::kOfPortAtOnce);
    EXPECT_LE(static_cast<double>(records["1"]), PolicyLog::kOfPortAtOnce + PolicyLog::kOfRuleAtOnce +
                                                     (PolicyLog::kOfPort + PolicyLog::kOfRule) * took.count());
    bench["3"].inject(udp({3, 2, 4000, 53}));
    bench.run();
    take();
    EXPECT_EQ(records["3"], 1U) << "another port is heard amid the flood";
    bench.now_s += 1;
    take();
    bench.now_s += 1;
    take();
    EXPECT_EQ(records["1"] + suppressed["1"], kFlood);
    EXPECT_EQ(suppressed["3"], 0U);
    take();
    EXPECT_EQ(records["1"] + suppressed["1"], kFlood) << "told once";
}

TEST_F(PolicyLogging, EntriesHaveTheNamesOfTheirTime) {
    add("no-dns", 1, PolicyAction::deny, kUdp, 53);
    bench.apply();
    for (unsigned frame = 0; frame < 500; ++frame) bench["1"].inject(udp(query));
    bench.run();
    // Before anybody asks, rule and port are gone, and others have their indices.
    bench.model.policies.clear();
    bench.remove("1");
    add("other", 1, PolicyAction::deny, kUdp, 99);
    bench.access("other", "blue");
    bench.apply();
    std::uint64_t frames = 0;
    for (const PolicyLogEntry& entry : bench.vswitch().take_policy_log()) {
        EXPECT_EQ(entry.place.port, "1");
        if (entry.frame) {
            EXPECT_EQ(entry.frame->rule, "no-dns");
        }
        frames += entry.suppressed + (entry.frame ? 1 : 0);
    }
    EXPECT_EQ(frames, 500U);
    bench.now_s += 5;
    EXPECT_TRUE(bench.vswitch().take_policy_log().empty()) << "who has the index now inherits nothing";
}

}  // namespace
}  // namespace bulkhead::test
