// SPDX-License-Identifier: Apache-2.0
// What the underlay's host answers, octet for octet (the frames were made with scapy), and what it is silent about.
#include "tests/unit/vswitch/overlay/underlay_fixture.h"

namespace bulkhead::test {
namespace {

constexpr auto kArpRequest =
    "ffffffffffff02000000000208060001080006040001020000000002c0000202000000000000c00002010000000000000000"
    "00000000000000000000";
constexpr auto kArpReply =
    "02000000000202000000000108060001080006040002020000000001c0000201020000000002c00002020000000000000000"
    "00000000000000000000";
constexpr auto kSolicitation =
    "3333ff00000102000000000286dd6000000000203aff20010db8000000000000000000000002ff0200000000000000000001"
    "ff00000187001c270000000020010db80000000000000000000000010101020000000002";
constexpr auto kAdvertisement =
    "02000000000202000000000186dd6000000000203aff20010db800000000000000000000000120010db80000000000000000"
    "0000000288008a736000000020010db80000000000000000000000010201020000000001";
constexpr auto kDadProbe =
    "3333ff00000102000000000286dd6000000000183aff00000000000000000000000000000000ff0200000000000000000001"
    "ff00000187004ced0000000020010db8000000000000000000000001";
constexpr auto kDadAnswer =
    "33330000000102000000000186dd6000000000203aff20010db8000000000000000000000001ff0200000000000000000000"
    "000000018800f92a2000000020010db80000000000000000000000010201020000000001";
constexpr auto kPing =
    "020000000001020000000002080045b9002112340000110112ecc0000202c000020108000f42beef00076162636465000000"
    "00000000000000000000";
constexpr auto kPingReply =
    "020000000002020000000001080045b80021000040004001b620c0000201c000020200001742beef00076162636465000000"
    "00000000000000000000";
constexpr auto kPing6 =
    "02000000000102000000000286dd6b912345000d3a0320010db800000000000000000000000220010db80000000000000000"
    "0000000180003b85beef00076162636465";
constexpr auto kPing6Reply =
    "02000000000202000000000186dd6b800000000d3a4020010db800000000000000000000000120010db80000000000000000"
    "0000000281003a85beef00076162636465";

const std::vector<std::pair<const char*, const char*>> kQuestions = {{kArpRequest, kArpReply},
                                                                     {kSolicitation, kAdvertisement},
                                                                     {kDadProbe, kDadAnswer},
                                                                     {kPing, kPingReply},
                                                                     {kPing6, kPing6Reply}};

class UnderlayAnswers : public UnderlayTest {};

TEST_F(UnderlayAnswers, AreThoseOfTheRfcsBeforeTheLinkIsUpAndAfter) {
    for (const bool up : {false, true}) {
        if (up) settle();
        for (const auto& [request, reply] : kQuestions) {
            EXPECT_EQ(receive(hex(request)), Verdict::used) << request;
            EXPECT_EQ(take_only(), hex(reply)) << request;
        }
    }
    EXPECT_EQ(host_.take_events(), Events());
}

TEST_F(UnderlayAnswers, ToAnArpProbeGoToTheProber) {
    EXPECT_EQ(receive(arp_frame({.sender_ip = "0.0.0.0"})), Verdict::used);
    const Bytes reply = take_only();
    EXPECT_EQ(Bytes(reply.begin(), reply.begin() + 6), mac_bytes(2));
    EXPECT_EQ(Bytes(reply.begin() + 38, reply.begin() + 42), Bytes(4)) << "target IP";
    EXPECT_TRUE(host_.take_events().empty());
}

TEST_F(UnderlayAnswers, HoldForTheLinkLocalAddressOfTheMac) {
    const Ipv6 header{.to = hex("3333ff000001"), .destination = "ff02::1:ff00:1"};
    EXPECT_EQ(receive(icmpv6_frame(header, solicitation("fe80::ff:fe00:1", mac_option(1, 2)))), Verdict::used);
    EXPECT_EQ(take_sent().size(), 1U);
    EXPECT_EQ(receive(icmpv6_frame(header, solicitation("fe80::fe00:1", mac_option(1, 2)))), Verdict::not_ours);
}

TEST_F(UnderlayAnswers, KeepALongPingWhole) {
    ASSERT_EQ(receive(ping_frame({.data = 1472})), Verdict::used);
    const Bytes request = ping_frame({.data = 1472}), reply = take_only();
    ASSERT_EQ(reply.size(), request.size());
    EXPECT_TRUE(std::equal(reply.begin() + 38, reply.end(), request.begin() + 38)) << "identifier, sequence, data";
    EXPECT_EQ(receive(ping_frame({.data = 1473})), Verdict::not_ours) << "the reply would exceed the MTU";
    EXPECT_TRUE(take_sent().empty());
}

Bytes changed(Bytes frame, std::size_t at, std::uint8_t to) {
    frame.at(at) = to;
    return frame;
}

/// An IPv4 header that is right but for what was changed.
Bytes changed_header(Bytes frame, std::size_t at, std::uint8_t to) {
    frame = changed(std::move(frame), at, to);
    fix_ipv4_checksum(frame);
    return frame;
}

TEST_F(UnderlayAnswers, AreNotGivenToBrokenOrForeignFrames) {
    const Bytes to_group = hex("3333ff000001");
    const Ipv6 to_node{.to = to_group, .destination = "ff02::1:ff00:1"};
    const Ipv6 probe{.to = to_group, .source = "::", .destination = "ff02::1:ff00:1"};
    const auto option = [](std::initializer_list<std::uint8_t> bytes) { return Bytes(bytes); };
    const auto asks = [](const Bytes& options) { return solicitation("2001:db8::1", options); };
    const Bytes mac2 = mac_option(1, 2), short_mac = {1, 1, 2, 0, 0};
    struct Case {
        const char* what;
        Verdict verdict;
        Bytes frame;
    };
    const Bytes arp = hex(kArpRequest), ping = hex(kPing), ping6 = hex(kPing6), ns = hex(kSolicitation);
    const std::vector<Case> cases = {
        {"nothing", Verdict::malformed, {}},
        {"half a header", Verdict::malformed, Bytes(arp.begin(), arp.begin() + 13)},
        {"half a tag", Verdict::malformed, hex("ffffffffffff0200000000028100001e08")},
        {"another EtherType", Verdict::not_ours, changed(arp, 13, 7)},
        {"to another station", Verdict::not_ours, changed(arp_frame({.to = 1}), 5, 3)},
        {"from a group", Verdict::malformed, changed(arp, 6, 3)},
        {"from nobody", Verdict::malformed, changed(changed(arp, 6, 0), 11, 0)},
        {"from ourselves", Verdict::not_ours, changed(arp, 11, 1)},
        {"with a tag", Verdict::not_ours, arp_frame({.tag = {0x81, 0, 0, 30}})},
        {"with a service tag", Verdict::not_ours, arp_frame({.tag = {0x88, 0xa8, 0, 0}})},
        {"ARP cut short", Verdict::malformed, Bytes(arp.begin(), arp.begin() + 41)},
        {"ARP of another hardware", Verdict::malformed, changed(arp, 15, 6)},
        {"ARP of another protocol", Verdict::malformed, changed(arp, 17, 6)},
        {"ARP with long MACs", Verdict::malformed, changed(arp, 18, 8)},
        {"ARP with long IPs", Verdict::malformed, changed(arp, 19, 16)},
        {"ARP of operation 3", Verdict::malformed, changed(arp, 21, 3)},
        {"ARP for another address", Verdict::not_ours, changed(arp, 41, 3)},
        {"ARP from a group", Verdict::malformed, changed(arp, 22, 3)},
        {"ARP from no MAC", Verdict::malformed, changed(changed(arp, 22, 0), 27, 0)},
        {"ARP with our MAC inside", Verdict::not_ours, changed(arp, 27, 1)},
        {"ARP from a multicast IP", Verdict::malformed, changed(arp, 28, 224)},
        {"ARP from a loopback IP", Verdict::malformed, changed(arp, 28, 127)},
        {"ARP reply that nobody asked for", Verdict::not_ours, arp_frame({.operation = 2, .to = 1})},
        {"NS of hop limit 254", Verdict::malformed, changed(ns, 21, 254)},
        {"NS with a wrong checksum", Verdict::malformed, changed(ns, 57, 0x26)},
        {"NS of code 1", Verdict::malformed, icmpv6_frame(to_node, changed(asks(mac2), 1, 1))},
        {"NS cut short", Verdict::malformed, icmpv6_frame(to_node, {135, 0, 0, 0, 0, 0, 0, 0, 0x20, 1})},
        {"NS for a group", Verdict::malformed, icmpv6_frame(to_node, solicitation("ff02::1", mac2))},
        {"NS for another", Verdict::not_ours, icmpv6_frame(to_node, solicitation("2001:db8::3", mac2))},
        {"NS with an empty option", Verdict::malformed, icmpv6_frame(to_node, asks({14, 0, 0, 0, 0, 0, 0, 0}))},
        {"NS with a long option", Verdict::malformed, icmpv6_frame(to_node, asks({1, 2, 2, 0, 0, 0, 0, 2}))},
        {"NS with a lone octet", Verdict::malformed, icmpv6_frame(to_node, asks(option({1})))},
        {"NS with half an option", Verdict::malformed, icmpv6_frame(to_node, asks(short_mac))},
        {"NS with a long MAC", Verdict::malformed,
         icmpv6_frame(to_node, asks({1, 2, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}))},
        {"NS with a group's MAC", Verdict::malformed, icmpv6_frame(to_node, asks({1, 1, 3, 0, 0, 0, 0, 2}))},
        {"DAD to one node", Verdict::malformed, icmpv6_frame({.source = "::"}, asks({}))},
        {"DAD with a MAC", Verdict::malformed, icmpv6_frame(probe, asks(mac2))},
        {"NS behind a header", Verdict::not_ours,
         icmpv6_frame({.to = to_group, .destination = "ff02::1:ff00:1", .next_header = 0}, asks(mac2))},
        {"IPv6 cut short", Verdict::malformed, Bytes(ping6.begin(), ping6.begin() + 53)},
        {"IPv6 longer than its frame", Verdict::malformed, changed(ping6, 19, 14)},
        {"IPv6 of version 5", Verdict::malformed, changed(ping6, 14, 0x5b)},
        {"ping6 to a group", Verdict::not_ours,
         icmpv6_frame({.to = hex("333300000001"), .destination = "ff02::1"}, {128, 0, 0, 0, 1, 2, 3, 4})},
        {"ping6 in a group's frame", Verdict::malformed,
         icmpv6_frame({.to = hex("333300000001")}, {128, 0, 0, 0, 1, 2, 3, 4})},
        {"ping6 with a wrong checksum", Verdict::malformed, changed(ping6, 57, 0x84)},
        {"ping6 without a sequence", Verdict::malformed, icmpv6_frame({}, {128, 0, 0, 0, 1, 2})},
        {"ping6 from a group", Verdict::malformed, icmpv6_frame({.source = "ff02::1"}, {128, 0, 0, 0, 1, 2, 3, 4})},
        {"ping6 from nobody", Verdict::malformed, icmpv6_frame({.source = "::"}, {128, 0, 0, 0, 1, 2, 3, 4})},
        {"ping6 from our address", Verdict::malformed,
         icmpv6_frame({.source = "2001:db8::1"}, {128, 0, 0, 0, 1, 2, 3, 4})},
        {"ping6 reply", Verdict::not_ours, icmpv6_frame({}, {129, 0, 0, 0, 1, 2, 3, 4})},
        {"empty ICMPv6", Verdict::malformed, icmpv6_frame({}, {})},
        {"IPv4 cut short", Verdict::malformed, Bytes(ping.begin(), ping.begin() + 33)},
        {"IPv4 longer than its frame", Verdict::malformed, changed_header(ping, 17, 47)},
        {"IPv4 shorter than its header", Verdict::malformed, changed_header(ping, 17, 19)},
        {"IPv4 with a short header", Verdict::malformed, changed_header(ping, 14, 0x44)},
        {"IPv4 of version 5", Verdict::malformed, changed_header(ping, 14, 0x55)},
        {"IPv4 with a wrong checksum", Verdict::malformed, changed(ping, 22, 18)},
        {"ping to another", Verdict::not_ours, ping_frame({.destination = "192.0.2.3"})},
        {"ping to all", Verdict::not_ours, ping_frame({.to = mac_bytes(0xff), .destination = "192.0.2.255"})},
        {"ping in a broadcast frame", Verdict::malformed, ping_frame({.to = mac_bytes(0xff)})},
        {"ping with a wrong checksum", Verdict::malformed, changed(ping, 37, 0x43)},
        {"ping without a sequence", Verdict::malformed, changed_header(ping, 17, 26)},
        {"ping of code 1", Verdict::malformed, changed(changed(ping, 35, 1), 37, 0x41)},
        {"ping from all", Verdict::malformed, ping_frame({.source = "255.255.255.255"})},
        {"ping from a group", Verdict::malformed, ping_frame({.source = "224.0.0.1"})},
        {"ping from loopback", Verdict::malformed, ping_frame({.source = "127.0.0.1"})},
        {"ping from our address", Verdict::malformed, ping_frame({.source = "192.0.2.1"})},
        {"ping reply", Verdict::not_ours, ping_frame({.type = 0})},
        {"ping with options", Verdict::not_ours, ping_frame({.options = 4})},
        {"first fragment of a ping", Verdict::not_ours, ping_frame({.fragment = 0x2000})},
        {"later fragment of a ping", Verdict::not_ours, ping_frame({.fragment = 1})},
        {"UDP", Verdict::not_ours, changed_header(ping, 23, 17)},
    };
    for (const Case& row : cases) {
        EXPECT_EQ(receive(row.frame), row.verdict) << row.what;
        EXPECT_TRUE(take_sent().empty()) << row.what;
    }
    EXPECT_EQ(host_.take_events(), Events());
    EXPECT_EQ(host_.neighbors(now_).size(), 1U) << "only the fixed one";
}

TEST_F(UnderlayAnswers, PassAPingThatMustNotBeFragmented) {
    EXPECT_EQ(receive(ping_frame({.fragment = 0x4000})), Verdict::used);
}

class UnderlayOnVlan : public UnderlayTest {
  protected:
    static UnderlayHost::Settings on_vlan() {
        auto with = settings();
        with.vlan = 30;
        return with;
    }
    UnderlayOnVlan() : UnderlayTest(on_vlan()) {}
};

TEST_F(UnderlayOnVlan, AnswersWithItsTagAndOnlyToIt) {
    EXPECT_EQ(receive(hex("ffffffffffff0200000000028100c01e08060001080006040001020000000002c0000202000000000000c00002"
                          "0100000000000000000000")),
              Verdict::used);
    EXPECT_EQ(take_only(), hex("0200000000020200000000018100001e08060001080006040002020000000001c0000201020000000002"
                               "c00002020000000000000000000000000000"));
    for (const Bytes& tag : {Bytes{}, Bytes{0x81, 0, 0, 31}, Bytes{0x81, 0, 0, 0}, Bytes{0x88, 0xa8, 0, 30},
                             Bytes{0x81, 0, 0, 30, 0x81, 0, 0, 30}})
        EXPECT_EQ(receive(arp_frame({.tag = tag})), Verdict::not_ours) << testing::PrintToString(tag);
    EXPECT_TRUE(take_sent().empty());
}

TEST_F(UnderlayAnswers, TakeAPriorityTagForNone) {
    EXPECT_EQ(receive(arp_frame({.tag = {0x81, 0, 0xc0, 0}})), Verdict::used);
    EXPECT_EQ(take_only(), hex(kArpReply));
}

}  // namespace
}  // namespace bulkhead::test
