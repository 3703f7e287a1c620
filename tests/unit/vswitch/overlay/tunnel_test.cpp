// SPDX-License-Identifier: Apache-2.0
// Segments through tunnels: what goes out on the underlay, octet by octet, and what comes in from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;
using Sent = std::map<std::string, std::vector<Bytes>>;

/// Segments blue (VNI 100) and red (200), a pod in each, and mesh tunnels to nodes 2 (both) and 3 (blue).
struct Tunnels : testing::Test {
    Tunnels() {
        bench.segment("blue", 100);
        bench.segment("red", 200);
        bench.segment("green", 300);
        bench.access("b1", "blue");
        bench.access("r1", "red");
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"blue", "red"});
        bench.tunnel("n3", "192.0.2.3", {"blue"}, MacAddress(0x0200'0000'00ccULL));
        bench.apply();
    }
    Bench bench;
};

TEST_F(Tunnels, GiveAFrameTheOuterHeaderOfItsTunnel) {
    const Bytes inner = frame(kBroadcast, 1);
    const Sent sent = bench.pass("r1", inner);
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent.at("nic").size(), 1U);
    const OuterSeen outer = read_outer(sent.at("nic")[0]);
    EXPECT_EQ(outer.destination, (Bytes{2, 0, 0, 0, 0, 0xbb}));
    EXPECT_EQ(outer.source_mac, (Bytes{2, 0, 0, 0, 0, 0xaa}));
    EXPECT_EQ(outer.source.to_string(), "192.0.2.1");
    EXPECT_EQ(outer.remote.to_string(), "192.0.2.2");
    EXPECT_TRUE(outer.is_ip_checksum_good);
    EXPECT_EQ(outer.ttl, 64);
    EXPECT_EQ(outer.traffic_class, 0);
    EXPECT_EQ(outer.ip_end, sent.at("nic")[0].size());
    EXPECT_EQ(outer.udp_length, outer.ip_length - 20);
    EXPECT_GE(outer.udp_source, 49152);
    EXPECT_EQ(outer.udp_port, 4789);
    EXPECT_EQ(outer.udp_checksum, 0);
    EXPECT_EQ(outer.shim, 0x0800'0000U);
    EXPECT_EQ(outer.vni, 200U);
    EXPECT_EQ(outer.inner, inner);
}

TEST_F(Tunnels, FloodToEveryTunnelOfTheSegmentOnce) {
    const Sent sent = bench.pass("b1", frame(kBroadcast, 1));
    ASSERT_EQ(sent.at("nic").size(), 2U);
    std::vector<std::string> remotes;
    for (const Bytes& bytes : sent.at("nic")) {
        const OuterSeen outer = read_outer(bytes);
        EXPECT_EQ(outer.inner, frame(kBroadcast, 1));
        EXPECT_EQ(outer.vni, 100U);
        remotes.push_back(outer.remote.to_string());
    }
    EXPECT_THAT(remotes, testing::UnorderedElementsAre("192.0.2.2", "192.0.2.3"));
}

TEST_F(Tunnels, AreLearnedFromLikePorts) {
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(1, 7))), (Sent{{"b1", {frame(1, 7)}}}));
    const Sent sent = bench.pass("b1", frame(7, 1));
    ASSERT_EQ(sent.at("nic").size(), 1U) << "unicast goes to one node only";
    EXPECT_EQ(read_outer(sent.at("nic")[0]).remote.to_string(), "192.0.2.2");
    const auto macs = bench.vswitch().macs({.segments = {{"blue"}}, .tunnel = "n2"});
    ASSERT_EQ(macs.size(), 1U);
    EXPECT_EQ(macs[0].mac, MacAddress(0x0200'0000'0007ULL));
    EXPECT_EQ(macs[0].tunnel, "n2");
    EXPECT_EQ(macs[0].port, "");
}

TEST_F(Tunnels, KeepSegmentsApart) {
    EXPECT_EQ(bench.pass("nic", tunnelled({.vni = 200}, frame(kBroadcast, 7))), (Sent{{"r1", {frame(kBroadcast, 7)}}}));
    // Node 7 of red is nobody in blue.
    const Sent sent = bench.pass("b1", frame(7, 1));
    for (const Bytes& bytes : sent.at("nic")) EXPECT_EQ(read_outer(bytes).vni, 100U);
}

TEST_F(Tunnels, OfTheMeshDoNotFeedEachOther) {
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(kBroadcast, 7))), (Sent{{"b1", {frame(kBroadcast, 7)}}}));
    bench.pass("nic", tunnelled({.source = "192.0.2.3"}, frame(kBroadcast, 8)));
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(8, 7))), Sent{});
    EXPECT_EQ(bench.drops(DropReason::split_horizon), 1U);
}

TEST_F(Tunnels, OfASpokeAreForwardedToTheMesh) {
    bench.model.tunnels.at("n3").horizon = Horizon::spoke;
    bench.apply();
    const Sent sent = bench.pass("nic", tunnelled({.source = "192.0.2.3"}, frame(kBroadcast, 8)));
    EXPECT_EQ(sent.at("b1"), (std::vector<Bytes>{frame(kBroadcast, 8)}));
    ASSERT_EQ(sent.at("nic").size(), 1U) << "to the mesh, and not back";
    EXPECT_EQ(read_outer(sent.at("nic")[0]).remote.to_string(), "192.0.2.2");
    const Sent back = bench.pass("nic", tunnelled({}, frame(8, 7)));
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(read_outer(back.at("nic").at(0)).remote.to_string(), "192.0.2.3");
}

TEST_F(Tunnels, CountForThemselvesTheirSegmentAndTheNic) {
    const Bytes inner = frame(1, 7), outer = tunnelled({}, inner);
    bench.pass("nic", outer);
    bench.pass("b1", frame(7, 1));
    const TrafficStats tunnel = bench.vswitch().tunnel_stats("n2"), nic = bench.vswitch().port_stats("nic");
    EXPECT_EQ(tunnel.rx_packets, 1U);
    EXPECT_EQ(tunnel.rx_bytes, inner.size());
    EXPECT_EQ(tunnel.tx_packets, 1U);
    EXPECT_EQ(tunnel.tx_bytes, inner.size());
    EXPECT_EQ(nic.rx_packets, 1U);
    EXPECT_EQ(nic.rx_bytes, outer.size());
    EXPECT_EQ(nic.tx_packets, 1U);
    EXPECT_EQ(nic.tx_bytes, outer.size());
    EXPECT_EQ(bench.vswitch().segment_stats("blue").rx_packets, 2U);
}

struct BadCase {
    const char* name;
    OuterSpec outer;
    DropReason reason;
};
void PrintTo(const BadCase& test, std::ostream* out) {
    *out << test.name;
}
const BadCase kBadCases[] = {
    {"a node that no tunnel leads to", {.source = "192.0.2.9"}, DropReason::unknown_remote},
    {"a node that speaks Geneve by configuration",
     {.type = TunnelType::geneve, .udp_port = kGenevePort, .shim_first = 0},
     DropReason::not_for_us},
    {"a VNI of no segment", {.vni = 999}, DropReason::unknown_vni},
    {"VNI 0", {.vni = 0}, DropReason::unknown_vni},
    {"a VNI that only its upper octet tells from a known one", {.vni = 0x10000 + 100}, DropReason::unknown_vni},
    {"a segment that no tunnel carries", {.vni = 300}, DropReason::vni_not_attached},
    {"a segment that only another tunnel carries", {.source = "192.0.2.3", .vni = 200}, DropReason::vni_not_attached},
    {"without the VNI flag", {.shim_first = 0}, DropReason::bad_outer},
    {"a wrong IPv4 checksum", {.breaks_ip_checksum = true}, DropReason::bad_outer},
    {"a wrong UDP checksum", {.has_udp_checksum = true, .breaks_udp_checksum = true}, DropReason::bad_outer},
    {"a fragment", {.fragment = 0x2000}, DropReason::bad_outer},
    {"a later fragment", {.fragment = 0x0010}, DropReason::bad_outer},
    {"UDP longer than IP", {.udp_length_off = 1}, DropReason::bad_outer},
    {"UDP shorter than IP", {.udp_length_off = -1}, DropReason::bad_outer},
    {"IP longer than the frame", {.udp_length_off = 40, .ip_length_off = 40}, DropReason::bad_outer},
    {"another node's IP address", {.local = "192.0.2.77"}, DropReason::not_for_us},
    {"another UDP port", {.udp_port = 4790}, DropReason::not_for_us},
    {"another node's MAC", {.destination = {2, 0, 0, 0, 0, 0xab}}, DropReason::not_for_us},
    {"a VLAN of somebody else", {.vlan = 30}, DropReason::not_for_us},
};

struct BadOuter : Tunnels, testing::WithParamInterface<BadCase> {};

TEST_P(BadOuter, IsDroppedUnderItsReasonAlone) {
    EXPECT_EQ(bench.pass("nic", tunnelled(GetParam().outer, frame(kBroadcast, 7))), Sent{});
    EXPECT_EQ(bench.drops(GetParam().reason), 1U);
    EXPECT_EQ(bench.vswitch().mac_count(), 0U) << "nothing is learned from it";
}

TEST_P(BadOuter, TakesNobodyAlong) {
    // In one burst with good ones, first and in between, so that it is neither the pattern nor unseen.
    const Bytes good = tunnelled({}, frame(kBroadcast, 7)), bad = tunnelled(GetParam().outer, frame(kBroadcast, 8));
    for (const Bytes& bytes : {bad, good, bad, good, good}) bench["nic"].inject(bytes);
    bench.run();
    EXPECT_EQ(bench["b1"].take_bytes(), std::vector<Bytes>(3, frame(kBroadcast, 7)));
    EXPECT_EQ(bench.drops(GetParam().reason), 2U);
    for (const Bytes& bytes : {good, good, bad, good}) bench["nic"].inject(bytes);
    bench.run();
    EXPECT_EQ(bench["b1"].take_bytes(), std::vector<Bytes>(3, frame(kBroadcast, 7)));
    EXPECT_EQ(bench.drops(GetParam().reason), 3U);
}

INSTANTIATE_TEST_SUITE_P(All, BadOuter, testing::ValuesIn(kBadCases));

TEST_F(Tunnels, SurviveEveryTruncation) {
    const Bytes whole = tunnelled({.has_udp_checksum = true}, frame(kBroadcast, 7));
    for (std::size_t length = 14; length < whole.size(); ++length) {
        Bytes cut = whole;
        cut.resize(length);
        EXPECT_EQ(bench.pass("nic", cut), Sent{}) << length;
    }
}

TEST_F(Tunnels, TakeBurstsOfManyNodesAndSegments) {
    std::vector<Bytes> blue, red;
    for (unsigned at = 0; at < 60; ++at) {
        const Bytes inner = frame(kBroadcast, at + 10);
        const bool is_red = at % 3 == 0;
        bench["nic"].inject(tunnelled(
            {.source = at % 2 == 1 && !is_red ? "192.0.2.3" : "192.0.2.2", .vni = is_red ? 200U : 100U}, inner));
        (is_red ? red : blue).push_back(inner);
    }
    bench.run();
    EXPECT_EQ(bench["b1"].take_bytes(), blue);
    EXPECT_EQ(bench["r1"].take_bytes(), red);
    EXPECT_EQ(bench["nic"].take_bytes(), std::vector<Bytes>{});
    EXPECT_EQ(bench.vswitch().macs({.tunnel = "n3"}).size(), 20U);
}

TEST_F(Tunnels, CutOffWhatTheLinkPadded) {
    EXPECT_EQ(bench.pass("nic", tunnelled({.padding = 9}, frame(kBroadcast, 7))),
              (Sent{{"b1", {frame(kBroadcast, 7)}}}));
}

TEST_F(Tunnels, CarryTagsOfPodsThatHaveSome) {
    bench.model.ports.at("b1").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    const Bytes tagged = frame(kBroadcast, 1, {{5}});
    EXPECT_EQ(read_outer(bench.pass("b1", tagged).at("nic").at(0)).inner, tagged);
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(kBroadcast, 7, {{5}}))),
              (Sent{{"b1", {frame(kBroadcast, 7, {{5}})}}}));
}

TEST_F(Tunnels, SpreadFlowsByTheirSourcePort) {
    std::set<std::uint16_t> ports;
    for (unsigned station = 1; station <= 50; ++station) {
        bench.now_s += 1;
        ports.insert(read_outer(bench.pass("r1", frame(kBroadcast, station)).at("nic").at(0)).udp_source);
    }
    EXPECT_GT(ports.size(), 45U);
    const auto again = read_outer(bench.pass("r1", frame(kBroadcast, 1)).at("nic").at(0)).udp_source;
    EXPECT_TRUE(ports.contains(again)) << "a flow keeps its port";
}

TEST_F(Tunnels, SendCopiesWhereTheNicTakesNoChains) {
    bench["nic"].set_offloads(0);
    const Sent sent = bench.pass("b1", frame(kBroadcast, 1));
    ASSERT_EQ(sent.at("nic").size(), 2U);
    for (const Bytes& bytes : sent.at("nic")) EXPECT_EQ(read_outer(bytes).inner, frame(kBroadcast, 1));
}

TEST_F(Tunnels, ShareThePayloadWhereItDoes) {
    bench["b1"].inject(frame(kBroadcast, 1));
    bench.run();
    const auto sent = bench["nic"].take();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].payload, sent[1].payload);
}

TEST_F(Tunnels, DropWhatTheUnderlayIsTooNarrowFor) {
    bench.model.segments.at("blue").mtu = 1500;
    bench.model.underlays.at("u0").mtu = 1500;
    bench.apply();
    EXPECT_EQ(bench.pass("b1", frame(kBroadcast, 1, {}, 1450)).at("nic").size(), 2U);
    EXPECT_EQ(bench.pass("b1", frame(kBroadcast, 1, {}, 1451)), Sent{});
    EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), 2U);
}

TEST_F(Tunnels, LeaveAloneWhatIsTooLargeForTheSegment) {
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(kBroadcast, 7, {}, 1501))), Sent{});
    EXPECT_EQ(bench.drops(DropReason::mtu_exceeded), 1U);
}

TEST_F(Tunnels, GoWithTheirConfiguration) {
    bench.pass("nic", tunnelled({}, frame(1, 7)));
    bench.model.tunnels.erase("n2");
    bench.apply();
    EXPECT_EQ(bench.vswitch().mac_count("blue"), 0U);
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(1, 7))), Sent{});
    EXPECT_EQ(bench.drops(DropReason::unknown_remote), 1U);
    const Sent sent = bench.pass("b1", frame(kBroadcast, 1));
    ASSERT_EQ(sent.at("nic").size(), 1U);
    EXPECT_EQ(read_outer(sent.at("nic")[0]).remote.to_string(), "192.0.2.3");
}

TEST_F(Tunnels, ToAGatewayThatIsSilentHoldNoFrames) {
    bench.model.underlays.at("u0").gateways = {IpAddress::parse("192.0.2.254").value()};
    bench.tunnel("n4", "198.51.100.4", {"green"}, std::nullopt);
    bench.access("g1", "green");
    bench.apply();
    for (int second = 0; second < 5; ++second) {
        bench.now_ms += 1000;
        bench.run();
    }
    bench.pass("g1", frame(kBroadcast, 1));
    EXPECT_EQ(bench.drops(DropReason::no_neighbor), 1U) << "the one that asked";
    bench.tunnel("n5", "198.51.100.5", {"green"}, std::nullopt);
    bench.apply();
    bench.pass("g1", frame(kBroadcast, 1));
    EXPECT_EQ(bench.drops(DropReason::no_neighbor), 3U) << "and the one that comes later";
    EXPECT_EQ(bench.vswitch().worker_stats(0).held, 0U);
}

TEST_F(Tunnels, HaveStaticEntriesThatTheWireDoesNotMove) {
    const MacAddress mac(0x0200'0000'0007ULL);
    bench.model.static_macs[{"blue", mac}] = {.segment = "blue", .mac = mac, .tunnel = "n3"};
    bench.apply();
    EXPECT_EQ(bench.pass("nic", tunnelled({}, frame(1, 7))), Sent{});
    EXPECT_EQ(bench.drops(DropReason::source_mac_owned), 1U);
    const Sent sent = bench.pass("b1", frame(7, 1));
    ASSERT_EQ(sent.at("nic").size(), 1U);
    EXPECT_EQ(read_outer(sent.at("nic")[0]).remote.to_string(), "192.0.2.3");
}

}  // namespace
}  // namespace bulkhead::test
