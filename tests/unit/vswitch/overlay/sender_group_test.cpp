// SPDX-License-Identifier: Apache-2.0
// The sender's group travels with the frame: what goes out on tunnels that are trusted, octet by octet, and what is
// believed of what comes in.
#include <algorithm>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff, kDb = 2, kFar = 7;
constexpr GroupId kWeb = 0x1234, kDbs = 11, kOps = 0x12ff;
using Sent = std::map<std::string, std::vector<Bytes>>;

/// A frame that rules can judge: an IPv4 packet of a protocol that has no ports.
Bytes packet(unsigned to, unsigned from, std::uint8_t host = 1) {
    Bytes bytes = frame(to, from, {}, 46);
    const Bytes ip{0x45, 0, 0, 46, 0, 0, 0, 0, 64, 99, 0, 0, 10, 0, 0, host, 10, 0, 1, 1};
    std::ranges::copy(ip, bytes.begin() + 14);
    std::uint32_t sum = 0;
    for (std::size_t at = 14; at < 34; at += 2) sum += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    bytes[24] = static_cast<std::uint8_t>(~sum >> 8);
    bytes[25] = static_cast<std::uint8_t>(~sum);
    return bytes;
}

/// Segment blue denies by default, and group web may talk to group db. Ports of these groups and one of none; nodes 2
/// and 3 behind tunnels.
struct Groups : testing::TestWithParam<TunnelType> {
    Groups() {
        bench.segment("blue", 100).default_policy = DefaultPolicy::deny;
        for (const auto& [name, id] : {std::pair{"web", kWeb}, {"db", kDbs}, {"ops", kOps}}) {
            bench.model.groups[{"blue", name}] = {.owner = {}, .segment = "blue", .name = name, .id = id};
            bench.access(name, "blue").attachments.front().group = name;
        }
        bench.access("plain", "blue");
        bench.underlay("nic").mtu = 1600;
        node("n2", "192.0.2.2", true);
        node("n3", "192.0.2.3", true);
        allow("web-to-db", "web", "db");
        allow("ops-out", "ops", "");
    }

    Tunnel& node(const std::string& name, const std::string& remote, bool trust) {
        Tunnel& tunnel = bench.tunnel(name, remote, {"blue"});
        tunnel.type = GetParam();
        if (GetParam() == TunnelType::geneve) tunnel.dst_port = kGenevePort;
        tunnel.trust_groups = trust;
        return tunnel;
    }
    Policy& allow(const std::string& name, const std::string& from, const std::string& to) {
        Policy& rule = bench.model.policies[{"blue", name}];
        rule.segment = "blue";
        rule.name = name;
        rule.stateful = false;
        if (!from.empty()) rule.from.groups = {from};
        if (!to.empty()) rule.to.groups = {to};
        return rule;
    }
    void allow_all() { bench.model.segments.at("blue").default_policy = DefaultPolicy::allow; }
    /// db is where it says it is: frames for it are unicast.
    void learn_db() {
        allow_all();
        bench.apply();
        bench.pass("db", frame(kBroadcast, kDb));
        bench.run();
        bench.model.segments.at("blue").default_policy = DefaultPolicy::deny;
        bench.apply();
    }

    static bool is_vxlan() { return GetParam() == TunnelType::vxlan; }
    /// As another implementation sends it.
    static OuterSpec from(const std::string& remote, std::optional<GroupId> group) {
        OuterSpec spec{.source = remote, .type = GetParam()};
        if (is_vxlan()) {
            if (group) spec.shim_first = 0x88;
            spec.vxlan_group = group.value_or(0);
            return spec;
        }
        spec.udp_port = kGenevePort;
        spec.shim_first = 0;
        if (group) {
            spec.shim_first = 2;
            spec.options = {0xff, 0x42, 1, 1, static_cast<std::uint8_t>(*group >> 8), static_cast<std::uint8_t>(*group),
                            0,    0};
        }
        return spec;
    }
    Sent receive(const OuterSpec& outer, const Bytes& inner) { return bench.pass("nic", tunnelled(outer, inner)); }
    bool reaches_db(const OuterSpec& outer, std::uint8_t host = 1) {
        const Bytes inner = packet(kDb, kFar, host);
        const Sent sent = receive(outer, inner);
        if (sent.empty()) return false;
        EXPECT_EQ(sent, (Sent{{"db", {inner}}}));
        return true;
    }
    /// What the frame of a port says on its way to n2 and n3.
    std::vector<OuterSeen> told(const std::string& port, const Bytes& inner) {
        std::vector<OuterSeen> seen;
        const Sent sent = bench.pass(port, inner);
        for (const Bytes& bytes : sent.at("nic")) seen.push_back(read_outer(bytes));
        return seen;
    }
    static void expect_group(const OuterSeen& seen, const Bytes& inner, GroupId group) {
        if (is_vxlan()) {
            EXPECT_EQ(seen.shim, group == 0 ? 0x0800'0000U : 0x8800'0000U | group);
            EXPECT_EQ(seen.inner, inner);
            return;
        }
        EXPECT_EQ(seen.shim, 0x0200'6558U);
        Bytes option{0xff, 0x42, 1, 1, static_cast<std::uint8_t>(group >> 8), static_cast<std::uint8_t>(group), 0, 0};
        option.insert(option.end(), inner.begin(), inner.end());
        EXPECT_EQ(seen.inner, option);
    }

    Bench bench;
};

struct Kind {
    std::string operator()(const testing::TestParamInfo<TunnelType>& info) const {
        return info.param == TunnelType::vxlan ? "Vxlan" : "Geneve";
    }
};
INSTANTIATE_TEST_SUITE_P(Both, Groups, testing::Values(TunnelType::vxlan, TunnelType::geneve), Kind());

TEST_P(Groups, GoWithAFrameOfAPortThatHasOne) {
    allow_all();
    bench.apply();
    for (const auto& [port, group] : {std::pair{"web", kWeb}, {"ops", kOps}, {"plain", kNoGroupId}}) {
        const Bytes inner = packet(kBroadcast, 1);
        const auto seen = told(port, inner);
        ASSERT_EQ(seen.size(), 2U);
        for (const OuterSeen& outer : seen) {
            expect_group(outer, inner, group);
            EXPECT_EQ(outer.vni, 100U);
            EXPECT_TRUE(outer.is_ip_checksum_good);
            EXPECT_EQ(outer.udp_length, outer.ip_length - 20);
        }
    }
}

TEST_P(Groups, AreInTheUdpChecksum) {
    allow_all();
    bench.model.tunnels.at("n2").udp_checksum = bench.model.tunnels.at("n3").udp_checksum = true;
    bench.apply();
    const Bytes inner = packet(kBroadcast, 1);
    for (const OuterSeen& outer : told("web", inner)) {
        EXPECT_NE(outer.udp_checksum, 0);
        EXPECT_TRUE(outer.is_udp_checksum_good);
        expect_group(outer, inner, kWeb);
    }
}

TEST_P(Groups, AreToldOnlyToThoseWhoAreTrusted) {
    allow_all();
    bench.model.tunnels.at("n3").trust_groups = false;
    bench.apply();
    const Bytes inner = packet(kBroadcast, 1);
    const auto seen = told("web", inner);
    ASSERT_EQ(seen.size(), 2U);
    for (const OuterSeen& outer : seen) {
        if (outer.remote.to_string() == "192.0.2.2") {
            expect_group(outer, inner, kWeb);
            continue;
        }
        EXPECT_EQ(outer.shim, is_vxlan() ? 0x0800'0000U : 0x6558U) << "a plain header";
        EXPECT_EQ(outer.inner, inner);
    }
}

/// Bursts whose frames go together, and bursts that are mixed, by port and by length.
TEST_P(Groups, AreEachFramesOwnInABurst) {
    allow_all();
    bench.apply();
    receive(from("192.0.2.2", std::nullopt), packet(kBroadcast, kFar));
    bench.run();
    const Bytes one = packet(kFar, 1, 1), two = packet(kFar, 3, 2), three = packet(kFar, 4, 3);
    for (int burst = 0; burst < 3; ++burst) {
        bench["web"].inject(one);
        bench["web"].inject(one);
        bench["plain"].inject(two);
        bench["ops"].inject(three);
    }
    bench.run();
    unsigned seen = 0;
    for (const Bytes& bytes : bench["nic"].take_bytes()) {
        const OuterSeen outer = read_outer(bytes);
        const std::uint8_t host = bytes[bytes.size() - (14 + 46) + 29];
        expect_group(outer,
                     host == 1   ? one
                     : host == 2 ? two
                                 : three,
                     host == 1   ? kWeb
                     : host == 2 ? kNoGroupId
                                 : kOps);
        ++seen;
    }
    EXPECT_EQ(seen, 12U);
}

TEST_P(Groups, StayWithAFrameThatWaitsForItsNextHop) {
    allow_all();
    bench.model.underlays.at("u0").neighbors.clear();
    bench.apply();
    const Bytes inner = packet(kBroadcast, 1);
    const Sent asked = bench.pass("web", inner);
    for (const Bytes& bytes : asked.at("nic")) EXPECT_EQ(bytes[13], 6) << "only ARP as yet";
    bench.model.underlays.at("u0").neighbors = {{*IpAddress::parse("192.0.2.2"), MacAddress(0x0200'0000'00bbULL)}};
    bench.apply();
    bench.run();
    std::vector<OuterSeen> seen;
    for (const Bytes& bytes : bench["nic"].take_bytes())
        if (bytes[12] == 8 && bytes[13] == 0) seen.push_back(read_outer(bytes));
    ASSERT_EQ(seen.size(), 1U);
    expect_group(seen[0], inner, kWeb);
}

TEST_P(Groups, DecideAboutWhatComesIn) {
    learn_db();
    EXPECT_TRUE(reaches_db(from("192.0.2.2", kWeb)));
    EXPECT_TRUE(reaches_db(from("192.0.2.2", kOps))) << "another number of the same upper octet";
    EXPECT_EQ(bench.drops(DropReason::policy_default), 0U);
    EXPECT_FALSE(reaches_db(from("192.0.2.2", kDbs)));
    EXPECT_FALSE(reaches_db(from("192.0.2.2", kNoGroupId)));
    EXPECT_FALSE(reaches_db(from("192.0.2.2", std::nullopt)));
    EXPECT_EQ(bench.drops(DropReason::policy_default), 3U);
}

TEST_P(Groups, OfNumbersThatNobodyHasAreNone) {
    learn_db();
    for (const int number : {1, kWeb - 1, kWeb + 1, kWeb ^ 0x100, kWeb ^ 0x8000, 0xffff})
        EXPECT_FALSE(reaches_db(from("192.0.2.2", static_cast<GroupId>(number)))) << number;
    EXPECT_EQ(bench.drops(DropReason::policy_default), 6U);
    allow("any-to-db", "", "db");
    bench.apply();
    EXPECT_TRUE(reaches_db(from("192.0.2.2", GroupId{kWeb + 1}))) << "a frame like any other";
}

TEST_P(Groups, AreNotBelievedWithoutTrust) {
    bench.model.tunnels.at("n3").trust_groups = false;
    learn_db();
    EXPECT_FALSE(reaches_db(from("192.0.2.3", kWeb)));
    EXPECT_EQ(bench.drops(DropReason::policy_default), 1U) << "judged, and not refused for its header";
    EXPECT_TRUE(reaches_db(from("192.0.2.2", kWeb)));
    allow("any-to-db", "", "db");
    bench.apply();
    EXPECT_TRUE(reaches_db(from("192.0.2.3", kWeb)));
    bench.model.policies.erase({"blue", "any-to-db"});
    bench.model.tunnels.at("n2").trust_groups = false;
    bench.apply();
    EXPECT_FALSE(reaches_db(from("192.0.2.2", kWeb))) << "the last one is trusted no more";
}

/// All in one burst, from both nodes: the short way, where the headers are alike, and the long way.
TEST_P(Groups, AreEachFramesOwnInABurstThatComesIn) {
    bench.model.tunnels.at("n3").trust_groups = false;
    learn_db();
    for (const bool has_checksum : {false, true}) {
        std::vector<Bytes> expected;
        std::uint8_t host = 1;
        for (const char* remote : {"192.0.2.2", "192.0.2.3"}) {
            for (const std::optional<GroupId> group :
                 {std::optional(kWeb), std::optional(kDbs), std::optional(kNoGroupId), std::optional(kOps),
                  std::optional(kWeb)}) {
                OuterSpec outer = from(remote, group);
                outer.has_udp_checksum = has_checksum && host % 3 == 0;
                const Bytes inner = packet(kDb, kFar, host++);
                bench["nic"].inject(tunnelled(outer, inner));
                const bool is_web = group == kWeb || group == kOps;
                if (is_web && outer.source == "192.0.2.2") expected.push_back(inner);
            }
        }
        bench.run();
        EXPECT_EQ(bench["db"].take_bytes(), expected);
    }
}

TEST_P(Groups, OfAConnectionAreJudgedAnewWithTheTrust) {
    bench.model.policies.at({"blue", "web-to-db"}).stateful = true;
    learn_db();
    EXPECT_TRUE(reaches_db(from("192.0.2.2", kWeb)));
    bench.model.tunnels.at("n2").trust_groups = false;
    bench.apply();
    EXPECT_FALSE(reaches_db(from("192.0.2.2", kWeb)));
    bench.model.tunnels.at("n2").trust_groups = true;
    bench.apply();
    EXPECT_TRUE(reaches_db(from("192.0.2.2", kWeb)));
}

TEST_P(Groups, DecideAboutWhomAFloodReaches) {
    bench.model.policies.erase({"blue", "ops-out"});
    bench.apply();
    const Bytes inner = packet(kBroadcast, kFar);
    EXPECT_EQ(receive(from("192.0.2.2", kWeb), inner), (Sent{{"db", {inner}}}));
    EXPECT_EQ(receive(from("192.0.2.2", kOps), inner), Sent{});
}

/// An id that no group here has goes on, too: it means something where it comes to.
TEST_P(Groups, GoOnFromTunnelToTunnelIfBothAreTrusted) {
    allow_all();
    bench.model.tunnels.at("n3").horizon = Horizon::spoke;
    bench.apply();
    const Bytes inner = packet(kBroadcast, kFar);
    for (const GroupId group : {kWeb, GroupId{999}, kNoGroupId}) {
        const Sent sent = receive(from("192.0.2.3", group), inner);
        ASSERT_EQ(sent.at("nic").size(), 1U);
        expect_group(read_outer(sent.at("nic")[0]), inner, group);
    }
    bench.model.tunnels.at("n3").trust_groups = false;
    bench.apply();
    const Bytes other = packet(kBroadcast, kFar, 9);
    const Sent sent = receive(from("192.0.2.3", kWeb), other);
    ASSERT_EQ(sent.at("nic").size(), 1U);
    expect_group(read_outer(sent.at("nic")[0]), other, kNoGroupId);
}

/// In one burst, to several tunnels: by the short way, and by the long one, where the first frame is dropped.
TEST_P(Groups, GoOnFromTunnelToTunnelEachFramesOwn) {
    allow_all();
    bench.model.tunnels.at("n3").horizon = Horizon::spoke;
    node("n4", "192.0.2.4", true);
    node("n5", "192.0.2.5", false).horizon = Horizon::spoke;
    bench.apply();
    std::uint8_t host = 0;
    for (const bool has_stray : {false, true}) {
        OuterSpec stray = from("192.0.2.3", kOps);
        stray.vni = 999;
        if (has_stray) bench["nic"].inject(tunnelled(stray, packet(kBroadcast, kFar)));
        std::map<std::uint8_t, GroupId> expected;  // by the host that the packet is from
        for (const auto& [remote, group, told] : {std::tuple("192.0.2.3", kWeb, kWeb),
                                                  {"192.0.2.3", GroupId{999}, GroupId{999}},
                                                  {"192.0.2.5", kWeb, kNoGroupId},
                                                  {"192.0.2.3", kNoGroupId, kNoGroupId},
                                                  {"192.0.2.3", kOps, kOps}}) {
            bench["nic"].inject(tunnelled(from(remote, group), packet(kBroadcast, kFar, ++host)));
            expected[host] = told;
        }
        bench.run();
        std::map<std::uint8_t, unsigned> trusted;
        for (const Bytes& bytes : bench["nic"].take_bytes()) {
            const OuterSeen outer = read_outer(bytes);
            if (outer.remote.to_string() == "192.0.2.5") continue;
            const std::uint8_t sender = bytes[bytes.size() - (14 + 46) + 29];
            expect_group(outer, packet(kBroadcast, kFar, sender), expected.at(sender));
            ++trusted[sender];
        }
        for (const auto& [sender, told] : expected) EXPECT_GE(trusted[sender], 2U) << int{sender};
    }
}

TEST_P(Groups, FollowTheirPort) {
    allow_all();
    bench.apply();
    bench.model.ports.at("web").attachments.front().group = "ops";
    bench.apply();
    const Bytes inner = packet(kBroadcast, 1);
    expect_group(told("web", inner).at(0), inner, kOps);
    bench.model.groups.at({"blue", "ops"}).id = 77;
    bench.apply();
    expect_group(told("web", inner).at(0), inner, 77);
}

TEST_P(Groups, AreCountedWithTheHeader) {
    allow_all();
    bench.model.tunnels.erase("n3");
    bench.apply();
    const Bytes sent = bench.pass("web", packet(kBroadcast, 1)).at("nic").at(0);
    EXPECT_EQ(bench.vswitch().port_stats("nic").tx_bytes, sent.size());
    EXPECT_EQ(bench.vswitch().tunnel_stats("n2").tx_bytes, packet(kBroadcast, 1).size());
}

struct VxlanGroups : Groups {};
INSTANTIATE_TEST_SUITE_P(Of, VxlanGroups, testing::Values(TunnelType::vxlan));

/// D (0x40) and A (0x08) of the second octet, and what is reserved in both, are ignored.
TEST_P(VxlanGroups, OfWhichOnlyTheFlagAndTheNumberCount) {
    learn_db();
    OuterSpec outer = from("192.0.2.2", kWeb);
    outer.shim_first = 0xff;
    outer.shim_second = 0xff;
    EXPECT_TRUE(reaches_db(outer));
    outer.shim_first = 0x7f;
    EXPECT_FALSE(reaches_db(outer)) << "a number without G";
    outer.shim_first = 0x80;
    EXPECT_FALSE(reaches_db(outer));
    EXPECT_EQ(bench.drops(DropReason::bad_outer), 1U) << "G without I";
}

struct GeneveGroups : Groups {
    static OuterSpec with(const Bytes& options) {
        OuterSpec spec = from("192.0.2.2", std::nullopt);
        spec.shim_first = static_cast<std::uint8_t>(options.size() / 4);
        spec.options = options;
        return spec;
    }
};
INSTANTIATE_TEST_SUITE_P(Of, GeneveGroups, testing::Values(TunnelType::geneve));

TEST_P(GeneveGroups, AreFoundAmongOtherOptions) {
    learn_db();
    EXPECT_TRUE(reaches_db(with({0xff, 0x42, 1, 0xe1, 0x12, 0x34, 0xab, 0xcd}))) << "reserved bits are ignored";
    EXPECT_TRUE(reaches_db(with({0xff, 0x42, 1, 1, 0x12, 0x34, 0, 0, 1, 2, 3, 0}))) << "another behind it";
    EXPECT_TRUE(reaches_db(with({1, 2, 3, 1, 9, 9, 9, 9, 0xff, 0x42, 1, 1, 0x12, 0x34, 0, 0}))) << "another before it";
    EXPECT_FALSE(reaches_db(with({1, 2, 3, 2, 0xff, 0x42, 1, 1, 0x12, 0x34, 0, 0}))) << "the data of another";
    EXPECT_EQ(bench.drops(DropReason::policy_default), 1U);
}

TEST_P(GeneveGroups, OfAnotherShapeAreNone) {
    learn_db();
    const Bytes bad[] = {
        {0xff, 0x41, 1, 1, 0x12, 0x34, 0, 0},     // another class
        {0xff, 0x42, 2, 1, 0x12, 0x34, 0, 0},     // another type
        {0xff, 0x42, 0x81, 1, 0x12, 0x34, 0, 0},  // critical, which ours is not
        {0xff, 0x42, 1, 0, 0x12, 0x34, 0, 0},     // without data
        {0xff, 0x42, 1, 2, 0x12, 0x34, 0, 0},     // longer than there is room for
        {0xff, 0x42, 1, 1},                       // cut off
        {1, 2, 3, 31, 0, 0, 0, 0},                // another that goes beyond the end
    };
    for (const Bytes& options : bad) EXPECT_FALSE(reaches_db(with(options))) << int{options[1]};
    EXPECT_EQ(bench.drops(DropReason::policy_default), std::size(bad)) << "judged like frames of no group";
    EXPECT_TRUE(reaches_db(with(from("192.0.2.2", kWeb).options)));
}

TEST_P(GeneveGroups, TakeRoomInTheUnderlay) {
    bench.model.underlays.at("u0").mtu = 1558;
    bench.model.segments.at("blue").mtu = 1500;
    allow_all();
    bench.apply();
    Bytes longest = frame(kBroadcast, 1, {}, 1500);
    longest[12] = 0x88;  // nothing that rules would look into
    const auto seen = told("web", longest);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].ip_length, 1558);
    bench.model.underlays.at("u0").mtu = 1557;
    bench.apply();
    EXPECT_FALSE(bench.pass("web", longest).contains("nic"));
    EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), 2U);
}

}  // namespace
}  // namespace bulkhead::test
