// SPDX-License-Identifier: Apache-2.0
// What of an underlay's NIC goes to its host TAP, what stays the switch's, and what comes back.
#include "vswitch/model/host_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/link_frames.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

using Sent = std::map<std::string, std::vector<Bytes>>;
const std::string kTap = "host:bh-host0";
const Bytes kNicMac = {2, 0, 0, 0, 0, 0xaa};
constexpr unsigned kNic = 0xaa;  // the station

/// Segment blue with a pod and a tunnel to node 2, whose NIC the node's kernel shares.
struct HostTap : testing::Test {
    explicit HostTap(std::optional<std::uint16_t> vlan = {}) {
        bench.segment("blue", 100);
        bench.access("b1", "blue");
        Underlay& underlay = bench.underlay("nic");
        underlay.host_tap = "bh-host0";
        underlay.vlan = vlan;
        bench.tunnel("n2", "192.0.2.2", {"blue"});
        bench.trunk(kTap);
        add_host_ports(bench.model);
        bench.apply();
        bench.run();
        (void)bench["nic"].take_bytes();  // what the switch says of itself as it starts
    }
    TrafficStats stats(const std::string& port) { return bench.vswitch().port_stats(port); }
    Bench bench;
};

struct Case {
    const char* name;
    Bytes frame;
    bool to_host;
    bool to_switch = false;
    DropReason dropped = DropReason::none;
};
void PrintTo(const Case& test, std::ostream* out) {
    *out << test.name;
}

Bytes tagged(Bytes frame, const Bytes& tag) {
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}
Bytes with_type(std::uint16_t type, const Bytes& to = kNicMac) {
    Bytes bytes = frame(kNic, 2);
    std::ranges::copy(to, bytes.begin());
    bytes[12] = static_cast<std::uint8_t>(type >> 8);
    bytes[13] = static_cast<std::uint8_t>(type);
    return bytes;
}
/// An IPv4 packet of that protocol.
Bytes ipv4(std::uint8_t protocol, std::string_view destination, std::uint16_t fragment = 0) {
    Bytes bytes = ping_frame({.to = kNicMac, .destination = destination, .fragment = fragment});
    bytes[23] = protocol;
    fix_ipv4_checksum(bytes);
    return bytes;
}
Bytes ipv6(const char* destination, Bytes message, const Bytes& to = kNicMac, std::uint8_t next_header = 58) {
    return icmpv6_frame({.to = to, .destination = destination, .next_header = next_header}, std::move(message));
}
Bytes udp(const OuterSpec& spec) {
    return tunnelled(spec, frame(1, 7));
}
const Bytes kEcho = {128, 0, 0, 0, 0, 1, 0, 1};
const Bytes kAllNodes = {0x33, 0x33, 0, 0, 0, 1};
const Bytes kOther = mac_bytes(0x77);

const Case kCases[] = {
    {"TCP to the host", ipv4(6, "192.0.2.11"), true},
    {"TCP to the switch's address", ipv4(6, "192.0.2.1"), true},
    {"TCP over IPv6", ipv6("2001:db8::11", kEcho, kNicMac, 6), true},
    {"UDP to the host, at a tunnel's port", udp({.local = "192.0.2.11"}), true},
    {"UDP to the switch's address, elsewhere", udp({.udp_port = 53}), true},
    {"a fragment to the host", ipv4(17, "192.0.2.11", 0x2000), true},
    {"a last fragment to the host", ipv4(17, "192.0.2.11", 0x0010), true},
    {"ping of the host", ping_frame({.to = kNicMac, .destination = "192.0.2.11"}), true},
    {"ping6 of the host", ipv6("2001:db8::11", kEcho), true},
    {"ping6 of the link-local address", ipv6("fe80::ff:fe00:aa", kEcho), true},
    {"a router's advertisement", ipv6("ff02::1", {134, 0, 0, 0, 0, 0, 0, 0}, kAllNodes), true, true},
    {"another protocol", with_type(0x88b5), true},
    {"another VLAN", tagged(ping_frame({.to = kNicMac}), {0x81, 0, 0xa0, 77}), true},
    {"a service VLAN", tagged(ping_frame({.to = kNicMac}), {0x88, 0xa8, 0, 0}), true},
    {"LLDP", with_type(0x88cc, {1, 0x80, 0xc2, 0, 0, 0x0e}), true},
    {"broadcast UDP", udp({.destination = Bytes(6, 0xff), .local = "255.255.255.255", .udp_port = 67}), true},
    {"unicast ARP request for the host", arp_frame({.target_ip = "192.0.2.11", .to = kNic}), true},
    {"ARP reply", arp_frame({.operation = 2, .target_ip = "192.0.2.11", .to = kNic}), true, true},
    {"broadcast ARP", arp_frame({.target_ip = "192.0.2.77"}), true, true},
    {"neighbor solicitation to a group", ipv6("ff02::1:ff00:11", solicitation("2001:db8::11", {}), kAllNodes), true,
     true},
    {"neighbor advertisement", ipv6("2001:db8::11", advertisement("2001:db8::2", kSolicited, {})), true, true},
    {"neighbor solicitation of the host", ipv6("2001:db8::11", solicitation("2001:db8::11", {})), true},
    {"neighbor solicitation of the switch", ipv6("2001:db8::1", solicitation("2001:db8::1", {})), false, true},
    {"unicast ARP request for the switch", arp_frame({.to = kNic}), false, true},
    {"ping of the switch", ping_frame({.to = kNicMac}), false, true},
    {"ping6 of the switch", ipv6("2001:db8::1", kEcho), false, true},
    {"a VNI that nobody has", udp({.vni = 999}), false, false, DropReason::unknown_vni},
    {"a tunnel of a stranger", udp({.source = "192.0.2.99"}), false, false, DropReason::unknown_remote},
    {"a bad tunnel header", udp({.shim_first = 0}), false, false, DropReason::bad_outer},
    {"a fragment to the switch's address", ipv4(17, "192.0.2.1", 0x2000), false, false, DropReason::bad_outer},
    {"another station's", ping_frame({.to = kOther, .destination = "192.0.2.11"}), false, false,
     DropReason::not_for_us},
    {"another station's VLAN", tagged(ping_frame({.to = kOther}), {0x81, 0, 0, 77}), false, false,
     DropReason::not_for_us},
    {"a piece of a frame", Bytes(kNicMac.begin(), kNicMac.end()), false, false, DropReason::truncated},
};

struct HostTapCases : HostTap, testing::WithParamInterface<Case> {};
INSTANTIATE_TEST_SUITE_P(HostTap, HostTapCases, testing::ValuesIn(kCases));

TEST_P(HostTapCases, GoWhereTheyBelong) {
    const Case& test = GetParam();
    const WorkerStats before = bench.vswitch().worker_stats(0);
    const Sent sent = bench.pass("nic", test.frame);
    const WorkerStats after = bench.vswitch().worker_stats(0);
    if (test.to_host)
        EXPECT_THAT(sent, testing::Contains(testing::Pair(kTap, std::vector<Bytes>{test.frame})))
            << "unchanged, and once";
    else
        EXPECT_FALSE(sent.contains(kTap));
    EXPECT_EQ(after.consumed - before.consumed, test.to_switch ? 1U : 0U);
    EXPECT_EQ(after.copies - before.copies, test.to_host && test.to_switch ? 1U : 0U);
    for (std::size_t reason = 1; reason < kDropReasons; ++reason)
        EXPECT_EQ(after.drops[reason] - before.drops[reason],
                  reason == static_cast<std::size_t>(test.dropped) ? 1U : 0U)
            << reason;
    EXPECT_FALSE(sent.contains("b1"));
}

TEST_F(HostTap, TunnelsGoOnInABurstWithFramesOfTheHost) {
    const Bytes inner = frame(1, 7), mine = ipv4(6, "192.0.2.11"), both = arp_frame({.target_ip = "192.0.2.77"});
    for (int round = 0; round < 20; ++round)
        for (const Bytes& bytes : {tunnelled({}, inner), mine, both}) bench["nic"].inject(bytes);
    bench.run();
    EXPECT_EQ(bench["b1"].take_bytes(), std::vector<Bytes>(20, inner));
    std::vector<Bytes> expected;
    for (int round = 0; round < 20; ++round) expected.insert(expected.end(), {mine, both});
    EXPECT_EQ(bench[kTap].take_bytes(), expected) << "in order";
}

TEST_F(HostTap, ATunnelsKeepaliveIsTheSwitchsAlone) {
    bench.model.tunnels.at("n2").keepalive_ms = 60'000;
    bench.apply();
    const std::uint64_t before = bench.vswitch().worker_stats(0).consumed;
    EXPECT_FALSE(bench.pass("nic", tunnelled({.vni = 0}, frame(1, 7))).contains(kTap));
    EXPECT_EQ(bench.vswitch().worker_stats(0).consumed, before + 1);
}

TEST_F(HostTap, WhatTheKernelSendsLeavesAsItIs) {
    const std::vector<Bytes> frames = {ipv4(6, "192.0.2.1"), tagged(with_type(0x88b5), {0x81, 0, 0, 77}),
                                       with_type(0x88cc, {1, 0x80, 0xc2, 0, 0, 0x0e}), arp_frame({}),
                                       tunnelled({}, frame(1, 7))};
    for (const Bytes& bytes : frames) bench[kTap].inject(bytes);
    bench.run();
    EXPECT_EQ(bench["nic"].take_bytes(), frames);
    EXPECT_TRUE(bench["b1"].take_bytes().empty());
    EXPECT_EQ(bench.vswitch().mac_count(), 0U) << "nothing is learned from it";
    EXPECT_EQ(stats(kTap).rx_packets, frames.size());
    EXPECT_EQ(stats("nic").rx_packets, 0U);
}

TEST_F(HostTap, IsCountedAtBothEnds) {
    const Bytes in = ipv4(6, "192.0.2.11"), out = with_type(0x88b5);
    const TrafficStats before = stats("nic");
    (void)bench.pass("nic", in);
    (void)bench.pass(kTap, out);
    EXPECT_EQ(stats("nic").rx_bytes - before.rx_bytes, in.size());
    EXPECT_EQ(stats("nic").tx_bytes - before.tx_bytes, out.size());
    EXPECT_EQ(stats("nic").tx_packets - before.tx_packets, 1U);
    EXPECT_EQ(stats(kTap).rx_bytes, out.size());
    EXPECT_EQ(stats(kTap).tx_bytes, in.size());
}

TEST_F(HostTap, AChecksumThatTheKernelLeftIsFilledInWhereTheNicCant) {
    // 20 octets of TCP, whose checksum field holds the sum of the pseudo-header.
    Bytes bytes = ipv4(6, "192.0.2.2");
    bytes.resize(14 + 20 + 20, 0);
    bytes[17] = 40;
    fix_ipv4_checksum(bytes);
    for (std::size_t at = 34; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>(at);
    const auto sum = [&bytes](std::size_t from, std::uint32_t start) {
        for (std::size_t at = from; at < bytes.size(); at += 2)
            start += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
        while (start > 0xffff) start = (start & 0xffff) + (start >> 16);
        return start;
    };
    std::uint32_t pseudo = 6 + 20;
    for (std::size_t at = 26; at < 34; at += 2) pseudo += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
    pseudo = (pseudo & 0xffff) + (pseudo >> 16);
    bytes[50] = static_cast<std::uint8_t>(pseudo >> 8);
    bytes[51] = static_cast<std::uint8_t>(pseudo);
    rte_mbuf* const frame = bench[kTap].make(bytes);
    frame->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
    frame->l2_len = 14;
    frame->l3_len = 20;
    frame->l4_len = 20;
    bench[kTap].inject(frame);
    bench.run();
    const auto sent = bench["nic"].take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].flags & RTE_MBUF_F_TX_L4_MASK, 0U);
    bytes = sent[0].bytes;
    EXPECT_EQ(sum(34, pseudo), 0xffffU) << "RFC 1071: the sum over all of it";
}

TEST_F(HostTap, FramesThatAnEndRefusesAreCounted) {
    bench[kTap].refuse_after(1, DropReason::tx_queue_full);
    for (int i = 0; i < 3; ++i) bench["nic"].inject(ipv4(6, "192.0.2.11"));
    bench.run();
    EXPECT_EQ(bench[kTap].take_bytes().size(), 1U);
    EXPECT_EQ(stats(kTap).drops[static_cast<std::size_t>(DropReason::tx_queue_full)], 2U);
    const Bytes bad = with_type(0x88b5), longer = frame(3, kNic, {}, 100);
    bench["nic"].refuse_length(static_cast<std::uint32_t>(bad.size()));
    for (const Bytes& bytes : {bad, longer}) bench[kTap].inject(bytes);
    bench.run();
    EXPECT_EQ(bench["nic"].take_bytes(), std::vector<Bytes>{longer}) << "one bad frame does not cost its neighbour";
    EXPECT_EQ(bench.drops(DropReason::tx_error), 1U);
}

TEST_F(HostTap, WithoutItTheRestIsDropped) {
    bench.model.underlays.at("u0").host_tap.clear();
    bench.remove(kTap);
    EXPECT_EQ(bench.pass("nic", ipv4(6, "192.0.2.11")), Sent{});
    EXPECT_EQ(bench.drops(DropReason::not_for_us), 1U);
}

TEST_F(HostTap, ANicThatIsNotOpenLosesWhatTheKernelSends) {
    std::map<std::string, PortIo*> open{{kTap, &bench[kTap]}, {"b1", &bench["b1"]}};
    ASSERT_TRUE(bench.vswitch().apply(bench.model, open));
    bench[kTap].inject(with_type(0x88b5));
    bench.run();
    EXPECT_EQ(bench.drops(DropReason::port_gone), 1U);
}

struct HostTapBesideAVlan : HostTap {
    HostTapBesideAVlan() : HostTap(30) {}
};

TEST_F(HostTapBesideAVlan, TheHostHasTheUntaggedOnes) {
    const Bytes untagged = ping_frame({.to = kNicMac}), echo = tagged(untagged, {0x81, 0, 0, 30});
    EXPECT_EQ(bench.pass("nic", untagged), (Sent{{kTap, {untagged}}}));
    EXPECT_FALSE(bench.pass("nic", echo).contains(kTap)) << "that of the switch's own address";
    const Bytes tcp = tagged(ipv4(6, "192.0.2.11"), {0x81, 0, 0, 30}), arp = arp_frame({.tag = {0x81, 0, 0, 30}});
    EXPECT_EQ(bench.pass("nic", tcp), (Sent{{kTap, {tcp}}}));
    EXPECT_EQ(bench.pass("nic", arp).at(kTap), std::vector<Bytes>{arp});
}

}  // namespace
}  // namespace bulkhead::test
