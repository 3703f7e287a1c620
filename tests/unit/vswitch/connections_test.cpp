// SPDX-License-Identifier: Apache-2.0
// Connections as they are listed and flushed.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/support/ip_frames.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead::test {
namespace {

/// Ports "1" to "3" in blue and "4" in red, of stations of these numbers, in segments that deny.
struct Connections : testing::Test {
    Connections() {
        for (const char* name : {"blue", "red"}) {
            bench.segment(name, *name == 'b' ? 100 : 200).default_policy = DefaultPolicy::deny;
            for (const auto& [protocol, port] : {std::pair<std::uint8_t, std::uint16_t>{kUdp, 53}, {kTcp, 80}}) {
                Policy policy = rule("allow-" + std::to_string(port), 10, PolicyAction::allow, protocol, port);
                policy.segment = name;
                bench.model.policies[{name, policy.name}] = policy;
            }
        }
        for (unsigned station = 1; station <= 5; ++station)
            bench.access(std::to_string(station), station < 4 ? "blue" : "red").attachments[0].macs = {
                MacAddress(0x0200'0000'0000ULL | station)};
        bench.apply();
    }
    bool passes(const Ends& ends, const Bytes& bytes) {
        return bench.pass(std::to_string(ends.from), bytes).contains(std::to_string(ends.to));
    }
    bool passes(const Ends& ends) { return passes(ends, udp(ends)); }
    void establish(const Ends& ends) {
        EXPECT_TRUE(passes(ends, packet(ends, kTcp, kTcpSyn, 100)));
        EXPECT_TRUE(passes(ends.back(), packet(ends.back(), kTcp, kTcpSyn | kTcpAck, 500)));
        EXPECT_TRUE(goes_on(ends));
    }
    bool goes_on(const Ends& ends) { return passes(ends, packet(ends, kTcp, kTcpAck, 101)); }
    std::vector<ConnectionInfo> list(const ConnectionFilter& filter = {}) {
        return bench.vswitch().connections(filter, 0, SIZE_MAX).connections;
    }
    /// The source ports of those that the filter means.
    std::set<std::uint16_t> opened(const ConnectionFilter& filter) {
        std::set<std::uint16_t> ports;
        for (const ConnectionInfo& connection : list(filter)) ports.insert(connection.source_port);
        return ports;
    }

    Bench bench;
};

TEST_F(Connections, AreListedAsTheirOpenerSeesThem) {
    EXPECT_TRUE(list().empty());
    // The opener is the higher end of the one, and the lower one of the other.
    ASSERT_TRUE(passes({2, 1, 4000, 53}));
    establish({1, 2, 4001, 80});
    bench.now_s += 7;
    bench.vswitch().housekeeping();
    const auto all = list();
    ASSERT_EQ(all.size(), 2U);
    const ConnectionInfo &dns = all[all[0].protocol == kUdp ? 0 : 1], &web = all[all[0].protocol == kUdp ? 1 : 0];
    EXPECT_EQ(dns.segment, "blue");
    EXPECT_EQ(dns.source.to_string(), "10.0.0.2");
    EXPECT_EQ(dns.destination.to_string(), "10.0.0.1");
    EXPECT_EQ(dns.source_port, 4000);
    EXPECT_EQ(dns.destination_port, 53);
    EXPECT_EQ(dns.state, ConnectionState::fresh);
    EXPECT_EQ(dns.idle_s, 7U);
    EXPECT_EQ(dns.expires_in_s, 23U);
    EXPECT_EQ(dns.opened_by.port, "2");
    EXPECT_EQ(dns.rule, "allow-53");
    EXPECT_EQ(web.source.to_string(), "10.0.0.1");
    EXPECT_EQ(web.source_port, 4001);
    EXPECT_EQ(web.state, ConnectionState::established);
    EXPECT_EQ(web.rule, "allow-80");
    const ConnectionReport report = bench.vswitch().connections({}, 0, 1);
    EXPECT_EQ(report.open, 2U);
    EXPECT_EQ(report.capacity, 3072U);

    bench.now_s += 24;
    EXPECT_EQ(opened({}), std::set<std::uint16_t>{4001}) << "what is over is not open, though it has its place still";
}

TEST_F(Connections, HaveNoRuleWhileItIsNotKnown) {
    ASSERT_TRUE(passes({2, 1, 4000, 53}));
    bench.model.policies[{"blue", "new"}] = rule("new", 1, PolicyAction::deny, kUdp, 54);
    bench.apply();
    EXPECT_EQ(list().at(0).rule, "");
    EXPECT_TRUE(passes({2, 1, 4000, 53}));
    EXPECT_EQ(list().at(0).rule, "allow-53");
}

TEST_F(Connections, FiltersMeanAllThatTheyName) {
    ASSERT_TRUE(passes({1, 2, 1, 53}));
    ASSERT_TRUE(passes({3, 1, 2, 53}));
    ASSERT_TRUE(passes({4, 5, 3, 53}));
    establish({2, 3, 4, 80});
    using Ports = std::set<std::uint16_t>;
    EXPECT_EQ(opened({.segment = "blue"}), (Ports{1, 2, 4}));
    EXPECT_EQ(opened({.segment = "none"}), Ports{});
    EXPECT_EQ(opened({.port = "3"}), Ports{2});
    EXPECT_EQ(opened({.port = "none"}), Ports{});
    EXPECT_EQ(opened({.address = IpPrefix::parse("10.0.0.1/32")}), (Ports{1, 2})) << "either end's";
    EXPECT_EQ(opened({.address = IpPrefix::parse("10.0.0.4/31")}), Ports{3});
    EXPECT_EQ(opened({.address = IpPrefix::parse("fd00::/8")}), Ports{});
    EXPECT_EQ(opened({.protocol = kTcp}), Ports{4});
    EXPECT_EQ(opened({.state = ConnectionState::fresh}), (Ports{1, 2, 3}));
    EXPECT_EQ(opened({.segment = "blue", .address = IpPrefix::parse("10.0.0.3/32"), .protocol = kUdp}), Ports{2});
}

TEST_F(Connections, PagesListEachOnceWhateverComesAndGoes) {
    constexpr std::uint16_t kStay = 1500;
    for (std::uint16_t port = 1; port <= kStay; ++port) ASSERT_TRUE(passes({1, 2, port, 53}));
    std::multiset<std::uint16_t> seen;
    std::size_t from = 0;
    for (std::uint16_t page = 0;; ++page) {
        const auto part = bench.vswitch().connections({.port = "1"}, from, 100).connections;
        for (const ConnectionInfo& connection : part) seen.insert(connection.source_port);
        if (part.size() < 100) break;
        from = part.back().place + 1;
        // Meanwhile others come, and those before go.
        ASSERT_TRUE(passes({3, 2, page, 53}));
        if (page > 0) {
            EXPECT_EQ(bench.vswitch().flush_connections({.port = "3"}), page == 1 ? 2U : 1U);
        }
    }
    EXPECT_EQ(seen.size(), kStay);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), kStay);
}

TEST_F(Connections, OnesThatAreFlushedHaveNoFrameMore) {
    const Ends one{1, 2, 4000, 80}, other{1, 2, 4001, 80};
    establish(one);
    establish(other);
    EXPECT_EQ(bench.vswitch().flush_connections({.state = ConnectionState::syn_sent}), 0U);
    EXPECT_TRUE(goes_on(one));
    EXPECT_EQ(bench.vswitch().flush_connections({.address = IpPrefix::parse("10.9.0.0/16")}), 0U);
    bench.vswitch().flush_connections({.port = "2"});
    EXPECT_TRUE(goes_on(one)) << "opened by the other end";
    establish({3, 2, 4002, 80});
    EXPECT_EQ(bench.vswitch().flush_connections({.port = "1"}), 2U);
    EXPECT_FALSE(goes_on(one));
    EXPECT_FALSE(goes_on(one.back()));
    EXPECT_FALSE(goes_on(other));
    EXPECT_TRUE(goes_on({3, 2, 4002, 80})) << "others go on";
    establish(one);
}

/// Whichever place in the table they had: the data path looks at one without asking whether it is in use.
TEST_F(Connections, AllOfMany) {
    constexpr std::uint16_t kMany = 2900;
    for (std::uint16_t port = 1; port <= kMany; ++port) establish({1, 2, port, 80});
    EXPECT_EQ(bench.vswitch().flush_connections({}), kMany);
    EXPECT_EQ(bench.vswitch().connection_count(), 0U);
    for (std::uint16_t port = 1; port <= kMany; ++port) ASSERT_FALSE(goes_on({1, 2, port, 80})) << port;
}

TEST_F(Connections, FragmentsPassNoMoreByAFlushedOne) {
    const Ends dns{1, 2, 4000, 53};
    Bytes first = udp(dns), later = udp(dns);
    first[20] = 0x20;  // more fragments
    later[20] = 0x00;
    later[21] = 5;  // at octet 40
    ASSERT_TRUE(passes(dns, first));
    ASSERT_TRUE(passes(dns, later));
    EXPECT_EQ(bench.vswitch().flush_connections({.segment = "red"}), 0U);
    EXPECT_TRUE(passes(dns, later)) << "nothing was flushed";
    EXPECT_EQ(bench.vswitch().flush_connections({}), 1U);
    EXPECT_FALSE(passes(dns, later));
    EXPECT_EQ(bench.drops(DropReason::fragment_unjudged), 1U);
}

}  // namespace
}  // namespace bulkhead::test
