// SPDX-License-Identifier: Apache-2.0
// ARP and ND answered in the owner's place: a request goes in, the answer comes out where it came from, and only there.
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/link_frames.h"
#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kOwner = 9;
constexpr std::string_view kIp4 = "10.1.0.9", kIp6 = "fd00::9", kLinkLocal = "fe80::9";
using Sent = std::map<std::string, std::vector<Bytes>>;

std::vector<Bytes> only(const Bytes& frame) {
    return {frame};
}

MacAddress mac(unsigned station) {
    return MacAddress::from_octets(mac_bytes(station).data());
}

Bytes all_nodes_mac() {
    return {0x33, 0x33, 0, 0, 0, 1};
}

Bytes solicited_node_mac(unsigned last) {
    return {0x33, 0x33, 0xff, 0, 0, static_cast<std::uint8_t>(last)};
}

/// A request of station 1, and what the owner itself would answer.
Bytes arp_request(std::string_view target = kIp4) {
    return arp_frame({.sender = 1, .sender_ip = "10.1.0.1", .target_ip = target});
}
Bytes arp_reply() {
    return arp_frame({.operation = 2, .sender = kOwner, .sender_ip = kIp4, .target_ip = "10.1.0.1", .to = 1});
}
Bytes ns(std::string_view target, const Bytes& options = mac_option(1, 1), std::string_view source = "fd00::1",
         unsigned from = 1, std::uint8_t hop_limit = 255) {
    return icmpv6_frame({.from = from,
                         .to = solicited_node_mac(9),
                         .source = source,
                         .destination = "ff02::1:ff00:9",
                         .hop_limit = hop_limit},
                        solicitation(target, options));
}
Bytes na(std::string_view target = kIp6) {
    return icmpv6_frame({.from = kOwner, .to = mac_bytes(1), .source = target, .destination = "fd00::1"},
                        advertisement(target, kRouter | kSolicited | kOverride, mac_option(2, kOwner)));
}
Bytes tagged(Bytes frame, std::uint16_t tci, std::uint16_t type = 0x8100) {
    const Bytes tag = {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type),
                       static_cast<std::uint8_t>(tci >> 8), static_cast<std::uint8_t>(tci)};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}

/// Segment blue, whose station 9 is behind tunnel n2, as the controller says; a and b are pods, t a trunk.
struct Answers : testing::Test {
    Answers() {
        bench.segment("blue", 100).arp_suppression = true;
        bench.segment("red", 200);
        bench.access("a", "blue");
        bench.access("b", "blue");
        bench.access("r", "red");
        bench.trunk("t");
        bench.vlan("t", 5, "blue");
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"blue", "red"});
        own("blue", kOwner, {kIp4, kIp6, kLinkLocal});
        bench.apply();
    }
    void own(const std::string& segment, unsigned station, const std::vector<std::string_view>& ips) {
        StaticMac entry{.segment = segment, .mac = mac(station), .tunnel = "n2"};
        for (const std::string_view text : ips) entry.ips.push_back(ip(text));
        bench.model.static_macs[{segment, entry.mac}] = entry;
    }
    std::uint64_t consumed() { return bench.vswitch().worker_stats(0).consumed; }
    std::uint64_t originated() { return bench.vswitch().worker_stats(0).originated; }
    Bench bench;
};

TEST_F(Answers, TellWhoAsked) {
    EXPECT_EQ(bench.pass("a", arp_request()), (Sent{{"a", {arp_reply()}}}));
    EXPECT_EQ(bench.pass("a", ns(kIp6)), (Sent{{"a", {na()}}}));
    EXPECT_EQ(bench.pass("a", ns(kLinkLocal)), (Sent{{"a", {na(kLinkLocal)}}}));
    EXPECT_EQ(consumed(), 3U);
    EXPECT_EQ(originated(), 3U);
    EXPECT_EQ(bench.vswitch().macs({.port = "a"}).size(), 1U) << "the asker is learned from its request";
}

TEST_F(Answers, NeedNoFlood) {
    bench.model.segments.at("blue").flood = FloodMode::none;
    bench.apply();
    EXPECT_EQ(bench.pass("a", arp_request()), (Sent{{"a", {arp_reply()}}}));
    EXPECT_EQ(bench.pass("a", ns(kIp6)), (Sent{{"a", {na()}}}));
    EXPECT_EQ(bench.pass("a", arp_request("10.1.0.8")), Sent{});
    EXPECT_EQ(bench.drops(DropReason::flood_disabled), 1U);
}

TEST_F(Answers, SayThatAnAddressIsTaken) {
    const Bytes probe = arp_frame({.sender = 1, .sender_ip = "0.0.0.0", .target_ip = kIp4});
    EXPECT_EQ(
        bench.pass("a", probe),
        (Sent{{"a",
               {arp_frame({.operation = 2, .sender = kOwner, .sender_ip = kIp4, .target_ip = "0.0.0.0", .to = 1})}}}));
    const Bytes to_all = icmpv6_frame({.from = kOwner, .to = all_nodes_mac(), .source = kIp6, .destination = "ff02::1"},
                                      advertisement(kIp6, kRouter | kOverride, mac_option(2, kOwner)));
    EXPECT_EQ(bench.pass("a", ns(kIp6, {}, "::")), (Sent{{"a", {to_all}}}));
}

TEST_F(Answers, KeepTheTag) {
    const auto with = [](const Bytes& frame) { return tagged(frame, 0x6005); };
    EXPECT_EQ(bench.pass("t", with(arp_request())), (Sent{{"t", {with(arp_reply())}}}));
    EXPECT_EQ(bench.pass("t", with(ns(kIp6))), (Sent{{"t", {with(na())}}}));
    // Beside a frame that asks for a closer look the tag is taken off first.
    bench["t"].inject(arp_request());
    EXPECT_EQ(bench.pass("t", with(arp_request())), (Sent{{"t", {with(arp_reply())}}}));
    bench.model.ports.at("t").attachments[0].keep_tag = true;
    bench.model.ports.at("a").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    EXPECT_EQ(bench.pass("t", with(arp_request())), (Sent{{"t", {with(arp_reply())}}}));
    EXPECT_EQ(bench.pass("a", with(ns(kIp6))), (Sent{{"a", {with(na())}}}));
    const auto twice = [&](const Bytes& frame) { return tagged(with(frame), 7, 0x88a8); };
    EXPECT_EQ(bench.pass("a", twice(ns(kIp6))), (Sent{{"a", {twice(na())}}}));
}

TEST_F(Answers, GoBackIntoASpokeAndNotIntoTheMesh) {
    EXPECT_EQ(bench.pass("nic", tunnelled({}, arp_frame({.sender = 3, .sender_ip = "10.1.0.3", .target_ip = kIp4})))
                  .count("nic"),
              0U);
    EXPECT_EQ(consumed(), 0U);
    bench.model.tunnels.at("n2").horizon = Horizon::spoke;
    own("blue", 8, {"10.1.0.8"});
    bench.model.static_macs.at({"blue", mac(8)}).tunnel.clear();
    bench.model.static_macs.at({"blue", mac(8)}).port = "a";
    bench.apply();
    const Sent sent =
        bench.pass("nic", tunnelled({}, arp_frame({.sender = 3, .sender_ip = "10.1.0.3", .target_ip = "10.1.0.8"})));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(read_outer(sent.at("nic").at(0)).inner,
              arp_frame({.operation = 2, .sender = 8, .sender_ip = "10.1.0.8", .target_ip = "10.1.0.3", .to = 3}));
}

TEST_F(Answers, AreReadFromSeveralBuffers) {
    const Bytes request = ns(kIp6);
    for (const long cut : {14L, 20L, 60L}) {
        rte_mbuf* first = bench["a"].make(Bytes(request.begin(), request.begin() + cut));
        ASSERT_EQ(rte_pktmbuf_chain(first, bench["a"].make(Bytes(request.begin() + cut, request.end()))), 0);
        bench["a"].inject(first);
        bench.run();
        EXPECT_EQ(bench["a"].take_bytes(), only(na())) << cut;
    }
}

/// A frame of station 1's that is nothing to answer: it goes to everybody, as it came.
struct Plain {
    const char* name;
    Bytes frame;
};

Bytes changed(Bytes frame, std::size_t at, std::uint8_t to) {
    frame.at(at) = to;
    return frame;
}

Bytes cut(Bytes frame, std::size_t length) {
    frame.resize(length);
    return frame;
}

std::vector<Plain> plain() {
    Bytes with_hop_by_hop = ns(kIp6);
    with_hop_by_hop[20] = 0;
    return {
        {"a request for somebody unknown", arp_request("10.1.0.8")},
        {"a solicitation for somebody unknown", ns("fd00::8")},
        {"a reply", arp_frame({.operation = 2, .sender = 1, .sender_ip = "10.1.0.1", .target_ip = kIp4})},
        {"an announcement", arp_frame({.sender = 1, .sender_ip = kIp4, .target_ip = kIp4})},
        {"an announcement of the owner's", arp_frame({.sender = kOwner, .sender_ip = kIp4, .target_ip = kIp4})},
        {"a solicitation of one's own address", ns(kIp6, mac_option(1, 1), kIp6)},
        {"no IPv4", changed(arp_request(), 16, 9)},
        {"no Ethernet", changed(arp_request(), 15, 6)},
        {"a cut request", cut(arp_request(), 41)},
        {"a cut solicitation", cut(ns(kIp6), 85)},
        {"RARP", changed(arp_request(), 13, 0x35)},
        {"hop limit 254", ns(kIp6, mac_option(1, 1), "fd00::1", 1, 254)},
        {"a wrong checksum", changed(ns(kIp6), 56, 1)},
        {"code 1",
         icmpv6_frame({.from = 1, .to = solicited_node_mac(9), .source = "fd00::1", .destination = "ff02::1:ff00:9"},
                      changed(solicitation(kIp6, mac_option(1, 1)), 1, 1))},
        {"no source address option", ns(kIp6, {})},
        {"an option of no length", ns(kIp6, {1, 0, 2, 0, 0, 0, 0, 1})},
        {"an option beyond the end", ns(kIp6, {1, 2, 2, 0, 0, 0, 0, 1})},
        {"a probe with an option", ns(kIp6, mac_option(1, 1), "::")},
        {"an extension header", with_hop_by_hop},
        {"an advertisement",
         icmpv6_frame({.from = 1, .to = all_nodes_mac(), .source = "fd00::1", .destination = "ff02::1"},
                      advertisement(kIp6, kOverride, mac_option(2, 1)))},
        {"an echo request",
         icmpv6_frame({.from = 1, .to = all_nodes_mac(), .source = "fd00::1", .destination = "ff02::1"},
                      {128, 0, 0, 0, 0, 1, 0, 1})},
        {"a long solicitation", ns(kIp6, Bytes(256))},
    };
}

TEST_F(Answers, AreNotGivenTo) {
    bench.model.tunnels.clear();
    bench.model.static_macs.clear();
    own("blue", kOwner, {kIp4, kIp6, kLinkLocal});
    bench.model.static_macs.at({"blue", mac(kOwner)}).tunnel.clear();
    bench.model.static_macs.at({"blue", mac(kOwner)}).port = "b";
    bench.apply();
    for (const auto& [name, frame] : plain()) {
        const std::string from = frame[11] == kOwner ? "b" : "a";
        const Sent sent = bench.pass(from, frame);
        ASSERT_EQ(sent.size(), 2U) << name;
        EXPECT_EQ(sent.at(from == "a" ? "b" : "a"), only(frame)) << name;
        EXPECT_FALSE(sent.contains(from)) << name;
    }
    EXPECT_EQ(consumed(), 0U);
}

TEST_F(Answers, DoNotTellTheOwnerThatItsAddressIsTaken) {
    bench.model.static_macs.at({"blue", mac(kOwner)}).tunnel.clear();
    bench.model.static_macs.at({"blue", mac(kOwner)}).port = "b";
    bench.apply();
    const Sent probes = bench.pass("b", arp_frame({.sender = kOwner, .sender_ip = "0.0.0.0", .target_ip = kIp4}));
    EXPECT_TRUE(probes.contains("a") && !probes.contains("b"));
    const Sent solicitations = bench.pass("b", ns(kIp6, {}, "::", kOwner));
    EXPECT_TRUE(solicitations.contains("a") && !solicitations.contains("b"));
}

TEST_F(Answers, LeaveUnicastToWhomItIsFor) {
    const Bytes request = arp_frame({.sender = 1, .sender_ip = "10.1.0.1", .target_ip = kIp4, .to = kOwner});
    const Sent sent = bench.pass("a", request);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(read_outer(sent.at("nic").at(0)).inner, request);
    EXPECT_FALSE(bench.pass("a", arp_frame({.sender = 1, .target_ip = kIp4, .to = 0x77})).contains("a"));
}

TEST_F(Answers, StayInTheSegmentThatWantsThem) {
    own("red", 8, {"10.1.0.9"});
    bench.apply();
    EXPECT_FALSE(bench.pass("r", arp_request()).contains("r")) << "red has it off";
    bench.model.segments.at("red").arp_suppression = true;
    bench.apply();
    EXPECT_EQ(bench.pass("r", arp_request()).at("r")[0][11], 8) << "of red, not of blue";
    EXPECT_EQ(bench.pass("a", arp_request()).at("a")[0][11], kOwner);
    bench.model.segments.at("blue").arp_suppression = false;
    bench.apply();
    EXPECT_FALSE(bench.pass("a", arp_request()).contains("a"));
}

TEST_F(Answers, DoNotJoinTheIsolated) {
    bench.model.ports.at("a").attachments[0].isolated = bench.model.ports.at("b").attachments[0].isolated = true;
    bench.model.static_macs.at({"blue", mac(kOwner)}).tunnel.clear();
    bench.model.static_macs.at({"blue", mac(kOwner)}).port = "b";
    bench.apply();
    EXPECT_FALSE(bench.pass("a", arp_request()).contains("a"));
    EXPECT_TRUE(bench.pass("t", tagged(arp_request(), 5)).contains("t"));
}

TEST_F(Answers, GoBesideOtherFramesOfTheBurst) {
    bench["a"].inject(frame(kOwner, 1));
    bench["a"].inject(arp_request());
    bench["a"].inject(frame(0xff, 1));
    const Sent sent = bench.pass("a", ns(kIp6));
    EXPECT_EQ(sent.at("a"), (std::vector<Bytes>{arp_reply(), na()}));
    EXPECT_EQ(sent.at("nic").size(), 2U);
    EXPECT_EQ(sent.at("b"), only(frame(0xff, 1)));
}

TEST_F(Answers, FindEveryOneOfMany) {
    for (unsigned station = 0x100; station < 0x900; ++station) own("blue", station, {});
    for (auto& [key, entry] : bench.model.static_macs)
        if (const unsigned station = key.second.value() & 0xffff; station >= 0x100)
            entry.ips = {IpAddress::v4(0x0a02'0000 + station),
                         IpAddress({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    static_cast<std::uint8_t>(station >> 8), static_cast<std::uint8_t>(station)})};
    bench.apply();
    for (unsigned station = 0x100; station < 0x900; ++station) {
        const std::string v4 = IpAddress::v4(0x0a02'0000 + station).to_string();
        EXPECT_EQ(bench.pass("a", arp_request(v4)).at("a").at(0),
                  arp_frame({.operation = 2, .sender = station, .sender_ip = v4, .target_ip = "10.1.0.1", .to = 1}));
    }
    EXPECT_FALSE(bench.pass("a", arp_request("10.2.0.1")).contains("a"));
}

}  // namespace
}  // namespace bulkhead::test
