// SPDX-License-Identifier: Apache-2.0
// What a source is told of a packet that the tunnel's path can't carry: a packet goes in, the ICMP error comes out.
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/link_frames.h"
#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/packet/checksum.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kSource = 1, kFar = 9;
constexpr std::uint16_t kMtu = 1450;  ///< of packets through the tunnel: 1,500 less the 50 of VXLAN over IPv4
constexpr std::uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000;
using Sent = std::map<std::string, std::vector<Bytes>>;

Bytes joined(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

Bytes part(const Bytes& bytes, std::size_t from, std::size_t most) {
    const auto first = bytes.begin() + static_cast<long>(from);
    return {first, first + static_cast<long>(std::min(most, bytes.size() - from))};
}

Bytes changed(Bytes frame, std::size_t at, std::uint8_t to) {
    frame.at(at) = to;
    return frame;
}

Bytes with_tag(const Bytes& frame, const Bytes& tag) {
    return joined(joined(part(frame, 0, 12), tag), part(frame, 12, SIZE_MAX));
}

/// An IPv4 packet of `length` octets.
Bytes ipv4(std::size_t length = kMtu + 1, Ping ping = {}) {
    ping.to = mac_bytes(kFar);
    ping.from = kSource;
    if (ping.fragment == 0) ping.fragment = kDontFragment;
    if (ping.source == "192.0.2.2") ping.source = "10.1.0.1";
    if (ping.destination == "192.0.2.1") ping.destination = "10.1.0.9";
    ping.data = length - 28 - ping.options;
    return ping_frame(ping);
}

/// The same of another protocol than ICMP.
Bytes udp(std::size_t length = kMtu + 1) {
    Bytes frame = changed(ipv4(length), 23, 17);
    fix_ipv4_checksum(frame);
    return frame;
}

Bytes ipv6(Bytes payload, const Ipv6& header = {}) {
    Ipv6 whole = header;
    whole.from = kSource;
    if (whole.to == mac_bytes(1)) whole.to = mac_bytes(kFar);
    if (whole.source == "2001:db8::2") whole.source = "fd00::1";
    if (whole.destination == "2001:db8::1") whole.destination = "fd00::9";
    return icmpv6_frame(whole, std::move(payload));
}

/// An ICMPv6 message that makes a packet of `length` octets behind `extensions`.
Bytes echo6(std::size_t length = kMtu + 1, std::uint8_t type = 128, const Bytes& extensions = {}) {
    Bytes message = extensions;
    message.push_back(type);
    message.resize(length - 40, 'x');
    return message;
}

/// An echo request in a fragment.
Bytes fragment6(std::uint8_t offset_and_more) {
    const Bytes frame = ipv6(echo6(1500, 128, {58, 0, 0, 0, 0, 0, 0, 1}), {.next_header = 44});
    return changed(changed(frame, 56, 0), 57, offset_and_more);  // where the helper has put a checksum
}

Bytes fragmentation_needed(const Bytes& of, std::uint16_t mtu, std::size_t longest = 576) {
    Bytes message = joined({3, 4, 0, 0, 0, 0, static_cast<std::uint8_t>(mtu >> 8), static_cast<std::uint8_t>(mtu)},
                           part(of, 14, longest - 28));
    const std::uint16_t sum = internet_checksum(message);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
    const std::size_t total = 20 + message.size();
    Bytes header = {
        0x45, 0xc0, static_cast<std::uint8_t>(total >> 8), static_cast<std::uint8_t>(total), 0, 0, 0, 0, 64, 1, 0, 0};
    header = joined(joined(header, part(of, 30, 4)), part(of, 26, 4));
    Bytes frame = joined(joined(part(of, 6, 6), part(of, 0, 6)), {8, 0});
    frame = joined(joined(frame, header), message);
    fix_ipv4_checksum(frame);
    return frame;
}

Bytes packet_too_big(const Bytes& of, std::uint16_t mtu, std::size_t longest = 1280) {
    return icmpv6_frame(
        {.from = kFar, .to = mac_bytes(kSource), .source = "fd00::9", .destination = "fd00::1", .hop_limit = 64},
        joined({2, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(mtu >> 8), static_cast<std::uint8_t>(mtu)},
               part(of, 14, longest - 48)));
}

/// Pod a and station 9, which is behind tunnel n2 whose path carries less than the segment.
struct TooBig : testing::Test {
    TooBig() {
        bench.segment("blue", 100);
        bench.access("a", "blue");
        bench.trunk("t");
        bench.vlan("t", 5, "blue");
        bench.underlay("nic");
        bench.tunnel("n2", "192.0.2.2", {"blue"});
        const MacAddress far = MacAddress::from_octets(mac_bytes(kFar).data());
        bench.model.static_macs[{"blue", far}] = {.segment = "blue", .mac = far, .tunnel = "n2"};
        bench.apply();
    }
    Bench bench;
};

TEST_F(TooBig, IsWhatTheTunnelCantCarry) {
    EXPECT_EQ(bench.pass("a", ipv4(kMtu)).size(), 1U);
    EXPECT_EQ(bench.pass("a", ipv6(echo6(kMtu))).at("nic").size(), 1U);
    EXPECT_EQ(bench.pass("a", ipv4()), (Sent{{"a", {fragmentation_needed(ipv4(), kMtu)}}}));
    EXPECT_EQ(bench.pass("a", ipv6(echo6())), (Sent{{"a", {packet_too_big(ipv6(echo6()), kMtu)}}}));
    EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), 2U);
    EXPECT_EQ(bench.vswitch().worker_stats(0).originated, 2U);
}

TEST_F(TooBig, IsWhatTheSegmentCantCarry) {
    bench.model.segments.at("blue").mtu = 1400;
    bench.apply();
    bench.pass("a", ipv4(1400));
    EXPECT_EQ(bench.pass("a", ipv4(1401)), (Sent{{"a", {fragmentation_needed(ipv4(1401), 1400)}}}));
    EXPECT_EQ(bench.pass("a", ipv6(echo6(1401))), (Sent{{"a", {packet_too_big(ipv6(echo6(1401)), 1400)}}}));
    const Bytes tag = {0x81, 0, 0, 5};
    bench.pass("t", with_tag(ipv4(1400), tag));
    EXPECT_EQ(bench.pass("t", with_tag(ipv4(1401), tag)),
              (Sent{{"t", {with_tag(fragmentation_needed(ipv4(1401), 1400), tag)}}}));
    EXPECT_EQ(bench.drops(DropReason::mtu_exceeded), 3U);
}

TEST_F(TooBig, IsAnsweredForThese) {
    const std::vector<std::pair<const char*, Bytes>> v4 = {
        {"UDP", udp()},
        {"options", ipv4(1500, {.options = 40})},
        {"a first fragment", ipv4(1500, {.fragment = kDontFragment | kMoreFragments})},
        {"an echo reply", ipv4(1500, {.type = 0})},
        {"a timestamp", ipv4(1500, {.type = 13})},
    };
    for (const auto& [name, frame] : v4)
        EXPECT_EQ(bench.pass("a", frame), (Sent{{"a", {fragmentation_needed(frame, kMtu)}}})) << name;
    const Bytes padding = {58, 0, 1, 4, 0, 0, 0, 0};
    const std::vector<std::pair<const char*, Bytes>> v6 = {
        {"UDP", ipv6(echo6(), {.next_header = 17})},
        {"an echo reply", ipv6(echo6(1500, 129))},
        {"a hop-by-hop header", ipv6(echo6(1500, 128, padding), {.next_header = 0})},
        {"a first fragment", fragment6(1)},
    };
    for (const auto& [name, frame] : v6)
        EXPECT_EQ(bench.pass("a", frame), (Sent{{"a", {packet_too_big(frame, kMtu)}}})) << name;
}

TEST_F(TooBig, IsSilentlyDroppedForThose) {
    const Bytes multicast = {1, 0, 0x5e, 0, 0, 1};
    const auto to = [](Bytes frame, const Bytes& mac) {
        std::ranges::copy(mac, frame.begin());
        return frame;
    };
    const auto sound = [](Bytes frame) {
        fix_ipv4_checksum(frame);
        return frame;
    };
    const Bytes four = ipv4(1500), six = ipv6(echo6(1500));
    const std::vector<std::pair<const char*, Bytes>> frames = {
        {"may be fragmented", ipv4(1500, {.fragment = kMoreFragments})},
        {"a later fragment", ipv4(1500, {.fragment = kDontFragment | 1})},
        {"to a multicast MAC", to(four, multicast)},
        {"to everybody", to(four, mac_bytes(0xff))},
        {"to a multicast MAC, IPv6", to(six, {0x33, 0x33, 0, 0, 0, 1})},
        {"to a multicast IP", ipv4(1500, {.destination = "224.0.0.1"})},
        {"to the broadcast IP", ipv4(1500, {.destination = "255.255.255.255"})},
        {"of nobody", ipv4(1500, {.source = "0.0.0.0"})},
        {"of a group", ipv4(1500, {.source = "239.0.0.1"})},
        {"an ICMP error", ipv4(1500, {.type = 3})},
        {"a redirect", ipv4(1500, {.type = 5})},
        {"an unknown ICMP type", ipv4(1500, {.type = 200})},
        {"a wrong checksum", changed(four, 24, static_cast<std::uint8_t>(four[24] + 1))},
        {"longer than its frame", sound(changed(four, 16, 0x7f))},
        {"shorter than its header", sound(changed(changed(four, 16, 0), 17, 19))},
        {"a short header", sound(changed(four, 14, 0x44))},
        {"of another version", sound(changed(four, 14, 0x65))},
        {"only padded", joined(ipv4(kMtu), Bytes(10))},
        {"only padded, IPv6", joined(ipv6(echo6(kMtu)), Bytes(10))},
        {"no IP", changed(changed(four, 12, 0x88), 13, 0xb5)},
        {"three tags", with_tag(with_tag(with_tag(four, {0x81, 0, 0, 7}), {0x81, 0, 0, 7}), {0x81, 0, 0, 7})},
        {"an ICMPv6 error", ipv6(echo6(1500, 1))},
        {"an ICMPv6 redirect", ipv6(echo6(1500, 137))},
        {"to a multicast IPv6", ipv6(echo6(1500), {.destination = "ff02::1"})},
        {"of nobody, IPv6", ipv6(echo6(1500), {.source = "::"})},
        {"a later fragment, IPv6", fragment6(8)},
        {"an error behind a header", ipv6(echo6(1500, 1, {58, 0, 1, 4, 0, 0, 0, 0}), {.next_header = 60})},
        {"headers without end", ipv6(Bytes(1460), {.next_header = 0})},
        {"a header beyond what is read", ipv6(echo6(1500, 128, {58, 255}), {.next_header = 43})},
        {"longer than its frame, IPv6", changed(six, 18, 0x7f)},
        {"of another version, IPv6", changed(six, 14, 0x40)},
    };
    bench.model.segments.at("blue").mtu = 1550;
    bench.model.ports.at("a").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    std::uint64_t drops = 0;
    for (const auto& [name, frame] : frames) {
        EXPECT_EQ(bench.pass("a", frame).count("a"), 0U) << name;
        EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), ++drops) << name;
    }
    EXPECT_EQ(bench.vswitch().worker_stats(0).originated, 0U);
}

TEST_F(TooBig, IsAnsweredWithTheTagThatStaysOnTheFrame) {
    const Bytes tag = {0x81, 0, 0xa0, 7}, tagged = with_tag(ipv4(kMtu - 3), tag);
    bench.model.ports.at("a").attachments[0].tagged = TaggedFrames::carry;
    bench.apply();
    EXPECT_EQ(bench.pass("a", with_tag(ipv4(kMtu - 4), tag)).count("nic"), 1U);
    EXPECT_EQ(bench.pass("a", tagged), (Sent{{"a", {with_tag(fragmentation_needed(ipv4(kMtu - 3), kMtu - 4), tag)}}}));
    const Bytes both = joined({0x88, 0xa8, 0, 9}, tag);
    EXPECT_EQ(bench.pass("a", with_tag(ipv6(echo6()), both)),
              (Sent{{"a", {with_tag(packet_too_big(ipv6(echo6()), kMtu - 8), both)}}}));
}

TEST_F(TooBig, IsAnsweredOnATrunkWithItsTag) {
    const Bytes tag = {0x81, 0, 0, 5};
    EXPECT_EQ(bench.pass("t", with_tag(ipv4(), tag)),
              (Sent{{"t", {with_tag(fragmentation_needed(ipv4(), kMtu), tag)}}}));
    bench.model.ports.at("t").attachments[0].keep_tag = true;
    bench.apply();
    EXPECT_EQ(bench.pass("t", with_tag(ipv4(), tag)),
              (Sent{{"t", {with_tag(fragmentation_needed(ipv4(), kMtu - 4), tag)}}}));
}

TEST_F(TooBig, IsAnsweredThroughTheTunnelThatItCameBy) {
    bench.tunnel("n3", "192.0.2.3", {"blue"}).horizon = Horizon::spoke;
    bench.apply();
    const Sent sent = bench.pass("nic", tunnelled({.source = "192.0.2.3"}, ipv4()));
    ASSERT_EQ(sent.size(), 1U);
    const OuterSeen outer = read_outer(sent.at("nic").at(0));
    EXPECT_EQ(outer.remote.to_string(), "192.0.2.3");
    EXPECT_EQ(outer.inner, fragmentation_needed(ipv4(), kMtu));
}

TEST_F(TooBig, QuotesNoMoreThanTheSourcesLinkTakes) {
    bench.model.segments.at("blue").mtu = 200;
    bench.model.underlays.at("u0").mtu = 230;
    bench.apply();
    EXPECT_EQ(bench.pass("a", ipv4(200)), (Sent{{"a", {fragmentation_needed(ipv4(200), 180, 200)}}}));
    EXPECT_EQ(bench.pass("a", ipv6(echo6(200))), (Sent{{"a", {packet_too_big(ipv6(echo6(200)), 180, 200)}}}));
}

TEST_F(TooBig, IsReadFromSeveralBuffers) {
    for (const Bytes& frame : {ipv4(), ipv6(echo6())}) {
        rte_mbuf* first = bench["a"].make(part(frame, 0, 20));
        ASSERT_EQ(rte_pktmbuf_chain(first, bench["a"].make(part(frame, 20, SIZE_MAX))), 0);
        bench["a"].inject(first);
        bench.run();
        const auto sent = bench["a"].take_bytes();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(sent[0], frame[12] == 8 ? fragmentation_needed(frame, kMtu) : packet_too_big(frame, kMtu));
    }
}

TEST_F(TooBig, IsAnsweredOnceABurstToEachPairOfNodes) {
    for (int count = 0; count < 3; ++count)
        for (const Bytes& frame : {ipv4(), udp(), ipv6(echo6()), ipv4(1500, {.destination = "10.1.0.8"})})
            bench["a"].inject(frame);
    bench.run();
    EXPECT_EQ(bench["a"].take().size(), 3U);
}

TEST_F(TooBig, IsAnsweredSoManyTimesASecond) {
    std::vector<std::string> nodes;
    for (int count = 0; count < 192; ++count) nodes.push_back("10.1.1." + std::to_string(count));
    for (const std::string& node : nodes) bench["a"].inject(ipv4(1500, {.destination = node}));
    bench.run();
    // Of three bursts: what may come at once, and one more for each 10 ms that they took.
    const std::size_t answers = bench["a"].take().size();
    EXPECT_GE(answers, 20U);
    EXPECT_LT(answers, 40U);
    EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), 192U);
}

TEST_F(TooBig, IsDroppedWhereTheSourceIsNotKnown) {
    bench.model.segments.at("blue").mac_limit = 0;
    bench.apply();
    EXPECT_EQ(bench.pass("a", ipv4()), Sent{});
    EXPECT_EQ(bench.drops(DropReason::path_mtu_exceeded), 1U);
}

}  // namespace
}  // namespace bulkhead::test
