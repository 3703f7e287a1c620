// SPDX-License-Identifier: Apache-2.0
// Geneve, IPv6, VLANs, UDP checksums and congestion marks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"

namespace bulkhead::test {
namespace {

constexpr unsigned kBroadcast = 0xff;
using Sent = std::map<std::string, std::vector<Bytes>>;

/// One pod, one tunnel.
struct OneTunnel : testing::Test {
    Tunnel& between(const std::string& remote) {
        bench.segment("blue", 100);
        bench.access("b1", "blue");
        bench.underlay("nic");
        return bench.tunnel("n2", remote, {"blue"});
    }
    OuterSeen sent(const Bytes& inner) { return read_outer(bench.pass("b1", inner).at("nic").at(0)); }
    bool takes(const OuterSpec& outer) {
        return bench.pass("nic", tunnelled(outer, frame(kBroadcast, 7))) == Sent{{"b1", {frame(kBroadcast, 7)}}};
    }
    Bench bench;
};

struct Geneve : OneTunnel {
    Geneve() {
        Tunnel& tunnel = between("192.0.2.2");
        tunnel.type = TunnelType::geneve;
        tunnel.dst_port = kGenevePort;
        bench.apply();
    }
    const OuterSpec plain{.type = TunnelType::geneve, .udp_port = kGenevePort, .shim_first = 0};
    [[nodiscard]] OuterSpec with(std::uint8_t first, std::uint8_t second, std::size_t options = 0) const {
        OuterSpec spec = plain;
        spec.shim_first = first;
        spec.shim_second = second;
        spec.geneve_options = options;
        return spec;
    }
};

TEST_F(Geneve, HasItsOwnHeader) {
    const OuterSeen outer = sent(frame(kBroadcast, 1));
    EXPECT_EQ(outer.udp_port, 6081);
    EXPECT_EQ(outer.shim, 0x0000'6558U);
    EXPECT_EQ(outer.vni, 100U);
    EXPECT_EQ(outer.inner, frame(kBroadcast, 1));
}

TEST_F(Geneve, OptionsThatAreNotCriticalAreSkipped) {
    EXPECT_TRUE(takes(plain));
    EXPECT_TRUE(takes(with(2, 0, 8)));
    EXPECT_TRUE(takes(with(63, 0, 252)));
}

TEST_F(Geneve, WhatIsNotUnderstoodIsDropped) {
    EXPECT_FALSE(takes(with(2, 0x40, 8))) << "a critical option";
    EXPECT_FALSE(takes(with(0, 0x80))) << "a control message";
    EXPECT_FALSE(takes(with(0x40, 0))) << "another version";
    EXPECT_FALSE(takes(with(63, 0, 8))) << "options longer than the packet";
    OuterSpec vxlan;
    EXPECT_FALSE(takes(vxlan)) << "VXLAN from a node that speaks Geneve";
    EXPECT_EQ(bench.drops(DropReason::bad_outer), 4U);
    EXPECT_EQ(bench.drops(DropReason::not_for_us), 1U);
}

struct Ipv6 : OneTunnel {
    Tunnel& tunnel = between("2001:db8::2");
    const OuterSpec plain{.source = "2001:db8::2", .local = "2001:db8::1"};
};

TEST_F(Ipv6, HasAChecksumWhenConfigured) {
    tunnel.udp_checksum = true;
    bench.apply();
    for (std::size_t payload : {46U, 47U, 1000U}) {
        const OuterSeen outer = sent(frame(kBroadcast, 1, {}, payload));
        EXPECT_EQ(outer.source.to_string(), "2001:db8::1");
        EXPECT_EQ(outer.remote.to_string(), "2001:db8::2");
        EXPECT_EQ(outer.udp_length, outer.ip_length - 40);
        EXPECT_NE(outer.udp_checksum, 0);
        EXPECT_TRUE(outer.is_udp_checksum_good);
        EXPECT_EQ(outer.inner, frame(kBroadcast, 1, {}, payload));
    }
    OuterSpec with_checksum = plain;
    with_checksum.has_udp_checksum = true;
    EXPECT_TRUE(takes(with_checksum));
    EXPECT_FALSE(takes(plain)) << "RFC 6935: zero only where both ends agreed";
    with_checksum.breaks_udp_checksum = true;
    EXPECT_FALSE(takes(with_checksum));
}

TEST_F(Ipv6, DoesWithoutWhenConfigured) {
    bench.apply();
    EXPECT_EQ(sent(frame(kBroadcast, 1)).udp_checksum, 0);
    EXPECT_TRUE(takes(plain));
}

TEST_F(OneTunnel, OverAVlanTagsBothWays) {
    between("192.0.2.2");
    bench.model.underlays.at("u0").vlan = 30;
    bench.apply();
    const OuterSeen outer = sent(frame(kBroadcast, 1));
    EXPECT_EQ(outer.vlan, 30);
    EXPECT_TRUE(outer.is_ip_checksum_good);
    EXPECT_EQ(outer.inner, frame(kBroadcast, 1));
    EXPECT_TRUE(takes({.vlan = 30}));
    EXPECT_TRUE(takes({.vlan = 30 | 5 << 13})) << "the priority is nobody's business";
    EXPECT_FALSE(takes({.vlan = 31}));
    EXPECT_FALSE(takes({}));
}

TEST_F(OneTunnel, HasAnIpv4ChecksumWhenConfigured) {
    between("192.0.2.2").udp_checksum = true;
    bench.apply();
    const OuterSeen outer = sent(frame(kBroadcast, 1));
    EXPECT_NE(outer.udp_checksum, 0);
    EXPECT_TRUE(outer.is_udp_checksum_good);
    EXPECT_TRUE(takes({})) << "over IPv4 the sender chooses";
    EXPECT_TRUE(takes({.has_udp_checksum = true}));
}

/// An IPv4 packet (or IPv6) of a pod with that DSCP and ECN, its header checksum right.
Bytes ip_frame(unsigned from, std::uint8_t traffic_class, bool is_v4 = true) {
    Bytes bytes = frame(kBroadcast, from, {}, 46);
    if (!is_v4) {
        bytes[12] = 0x86;
        bytes[13] = 0xdd;
        bytes[14] = static_cast<std::uint8_t>(0x60 | traffic_class >> 4);
        bytes[15] = static_cast<std::uint8_t>(traffic_class << 4);
        return bytes;
    }
    bytes[14] = 0x45;
    bytes[15] = traffic_class;
    bytes[24] = bytes[25] = 0;
    std::uint32_t sum = 0;
    for (std::size_t at = 14; at < 34; at += 2) sum += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    bytes[24] = static_cast<std::uint8_t>(~sum >> 8);
    bytes[25] = static_cast<std::uint8_t>(~sum);
    return bytes;
}

TEST_F(OneTunnel, PassesCongestionMarksOutward) {
    between("192.0.2.2").dscp = 10;
    bench.apply();
    for (const bool is_v4 : {true, false}) {
        for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
            const OuterSeen outer = sent(ip_frame(1, static_cast<std::uint8_t>(46 << 2 | ecn), is_v4));
            EXPECT_EQ(outer.traffic_class, 10 << 2 | ecn);
            EXPECT_TRUE(outer.is_ip_checksum_good);
        }
    }
}

TEST_F(OneTunnel, CopiesTheDscpWhereToldSo) {
    between("192.0.2.2").dscp.reset();
    bench.apply();
    EXPECT_EQ(sent(ip_frame(1, 46 << 2 | 1)).traffic_class, 46 << 2 | 1);
    EXPECT_EQ(sent(ip_frame(1, 46 << 2 | 1, false)).traffic_class, 46 << 2 | 1);
}

/// RFC 6040, figure 4: inner down, outer across; -1 is a drop.
TEST_F(OneTunnel, PassesCongestionMarksInward) {
    between("192.0.2.2");
    bench.apply();
    constexpr int kInnerAfter[4][4] = {{0, 0, 0, -1}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
    unsigned dropped = 0;
    for (const bool is_v4 : {true, false}) {
        for (std::uint8_t inner = 0; inner < 4; ++inner) {
            for (std::uint8_t outer = 0; outer < 4; ++outer) {
                const int after = kInnerAfter[inner][outer];
                const Sent sent = bench.pass("nic", tunnelled({.ecn = outer}, ip_frame(7, inner, is_v4)));
                if (after < 0)
                    EXPECT_EQ(bench.drops(DropReason::ecn_not_capable), ++dropped);
                else
                    EXPECT_EQ(sent, (Sent{{"b1", {ip_frame(7, static_cast<std::uint8_t>(after), is_v4)}}}))
                        << int{inner} << int{outer};
            }
        }
    }
}

}  // namespace
}  // namespace bulkhead::test
