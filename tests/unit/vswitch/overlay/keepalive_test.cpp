// SPDX-License-Identifier: Apache-2.0
// Keepalives through a whole switch: what leaves on the underlay, what is taken from it, and what it makes of a tunnel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/overlay/bfd_packet.h"
#include "vswitch/packet/checksum.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead::test {
namespace {

using Sent = std::map<std::string, std::vector<Bytes>>;
constexpr std::size_t kBfdAt = 14 + 20 + 8;  // in the inner frame

/// An inner frame as Open vSwitch makes it: its own MAC and addresses, no UDP checksum.
struct InnerSpec {
    std::uint8_t ttl = 255;
    std::uint16_t port = 3784;
    std::uint8_t protocol = 17;
    std::uint16_t udp_checksum = 0;
    std::size_t udp_length = 32;
};
Bytes inner(const BfdPacket& packet, const InnerSpec& spec = {}) {
    Bytes bytes = {0,    0x23, 0x20, 0,  0,   1,   2,    0, 0,        0,
                   0,    0xbb, 8,    0,  // Ethernet
                   0x45, 0xc0, 0,    52, 0,   0,   0x40, 0, spec.ttl, spec.protocol,
                   0,    0,                                   // IPv4
                   169,  254,  1,    1,  169, 254, 1,    0,   // from, to
                   0xc0, 1,    0,    0,  0,   0,   0,    0};  // UDP
    const std::uint16_t sum = internet_checksum(std::span(bytes).subspan(14, 20));
    store_big_endian16(&bytes[24], sum);
    store_big_endian16(&bytes[36], spec.port);
    store_big_endian16(&bytes[38], static_cast<std::uint16_t>(spec.udp_length));
    store_big_endian16(&bytes[40], spec.udp_checksum);
    const auto bfd = build_bfd(packet);
    bytes.insert(bytes.end(), bfd.begin(), bfd.end());
    return bytes;
}

struct Way {
    const char* name;
    TunnelType type;
    const char* local;
    const char* remote;
    bool has_checksum;
};
void PrintTo(const Way& way, std::ostream* out) {
    *out << way.name;
}
const Way kWays[] = {
    {"VXLAN over IPv4", TunnelType::vxlan, "192.0.2.1", "192.0.2.2", false},
    {"VXLAN over IPv4 with checksum", TunnelType::vxlan, "192.0.2.1", "192.0.2.2", true},
    {"VXLAN over IPv6", TunnelType::vxlan, "2001:db8::1", "2001:db8::2", true},
    {"VXLAN over IPv6 without checksum", TunnelType::vxlan, "2001:db8::1", "2001:db8::2", false},
    {"Geneve over IPv4", TunnelType::geneve, "192.0.2.1", "192.0.2.2", false},
    {"Geneve over IPv6", TunnelType::geneve, "2001:db8::1", "2001:db8::2", true},
};

/// One tunnel with a keepalive of 100 ms.
struct Keepalive : testing::Test {
    void set_up(const Way& chosen) {
        way = chosen;
        bench.segment("blue", 100);
        bench.access("b1", "blue");
        bench.underlay("nic");
        Tunnel& tunnel = bench.tunnel("n2", way.remote, {"blue"});
        tunnel.type = way.type;
        tunnel.dst_port = way.type == TunnelType::vxlan ? kVxlanPort : kGenevePort;
        tunnel.udp_checksum = way.has_checksum;
        tunnel.keepalive_ms = 100;
        bench.apply();
    }
    void SetUp() override { set_up(kWays[0]); }

    OuterSpec from_remote() const {
        return {.source = way.remote,
                .local = way.local,
                .type = way.type,
                .vni = 0,
                .udp_port = way.type == TunnelType::vxlan ? kVxlanPort : kGenevePort,
                .shim_first = static_cast<std::uint8_t>(way.type == TunnelType::vxlan ? 8 : 0),
                .has_udp_checksum = way.has_checksum};
    }
    BfdPacket says(BfdState state) const {
        return {.state = state,
                .detect_multiplier = 3,
                .my_discriminator = 9,
                .your_discriminator = ours,
                .desired_min_tx_us = 100'000,
                .required_min_rx_us = 100'000};
    }
    /// What the switch has to say after so many milliseconds.
    std::vector<Bytes> after(std::uint64_t ms) {
        for (std::uint64_t passed = 0; passed < ms; passed += 10) {
            bench.now_ms += 10;
            bench.run();
        }
        return keepalives(bench["nic"].take_bytes());
    }
    static std::vector<Bytes> keepalives(const std::vector<Bytes>& frames) {
        std::vector<Bytes> found;
        for (const Bytes& frame : frames)
            if (frame.size() > 100 && read_outer(frame).vni == 0) found.push_back(frame);
        return found;
    }
    static BfdPacket bfd_of(const Bytes& frame) {
        const Bytes inner = read_outer(frame).inner;
        return parse_bfd(std::span(inner).subspan(kBfdAt)).value();
    }
    Sent hear(const Bytes& inner) { return bench.pass("nic", tunnelled(from_remote(), inner)); }
    void come_up() {
        const auto first = after(1000);
        ASSERT_FALSE(first.empty());
        ours = bfd_of(first[0]).my_discriminator;
        hear(inner(says(BfdState::init)));
        BfdPacket agreed = says(BfdState::up);
        agreed.final = true;
        hear(inner(agreed));
        ASSERT_EQ(alive(), true);
    }
    std::optional<bool> alive() { return bench.vswitch().tunnel_state("n2").alive; }
    std::vector<bool> events() {
        std::vector<bool> told;
        for (const TunnelEvent& event : bench.vswitch().take_tunnel_events()) {
            EXPECT_EQ(event.tunnel, "n2");
            EXPECT_EQ(event.underlay, "u0");
            EXPECT_EQ(event.remote.to_string(), way.remote);
            told.push_back(event.is_alive);
        }
        return told;
    }

    Way way = kWays[0];
    std::uint32_t ours = 0;
    Bench bench;
};

struct KeepaliveWays : Keepalive, testing::WithParamInterface<Way> {
    void SetUp() override { set_up(GetParam()); }
};

TEST_P(KeepaliveWays, LeavesInTheTunnelsOwnHeader) {
    const auto sent = after(1000);
    ASSERT_FALSE(sent.empty());
    const OuterSeen outer = read_outer(sent[0]);
    EXPECT_EQ(outer.destination, (Bytes{2, 0, 0, 0, 0, 0xbb}));
    EXPECT_EQ(outer.source.to_string(), way.local);
    EXPECT_EQ(outer.remote.to_string(), way.remote);
    EXPECT_TRUE(outer.is_ip_checksum_good);
    EXPECT_EQ(outer.udp_checksum != 0, way.has_checksum);
    EXPECT_TRUE(!way.has_checksum || outer.is_udp_checksum_good);
    EXPECT_EQ(outer.ip_end, sent[0].size());
    EXPECT_EQ(outer.shim, way.type == TunnelType::vxlan ? 0x0800'0000U : 0x0080'6558U)
        << "Geneve's is a control packet";
    EXPECT_EQ(outer.vni, 0U);
    const Bytes& in = outer.inner;
    ASSERT_EQ(in.size(), kBfdAt + 24);
    EXPECT_EQ(Bytes(in.begin(), in.begin() + 14), (Bytes{0, 0, 0x5e, 0, 0x52, 2, 2, 0, 0, 0, 0, 0xaa, 8, 0}));
    EXPECT_EQ(internet_checksum(std::span(in).subspan(14, 20)), 0);
    EXPECT_EQ(in[22], 255);
    EXPECT_EQ(in[30], 127);
    EXPECT_GE(in[34], 0xc0) << "source port 49152 or above";
    EXPECT_EQ(load_big_endian<std::uint16_t>(&in[36]), 3784);
    InternetChecksum sum;
    sum.add_pseudo_header(IpAddress::from_v4(&in[26]), IpAddress::from_v4(&in[30]), 17, 32);
    sum.add(std::span(in).subspan(34));
    EXPECT_EQ(sum.value(), 0);
    EXPECT_EQ(bfd_of(sent[0]).state, BfdState::down);
}

TEST_P(KeepaliveWays, FindsOutThatTheRemoteLivesAndDies) {
    EXPECT_EQ(alive(), std::nullopt);
    come_up();
    EXPECT_EQ(events(), std::vector{true});
    for (int round = 0; round < 50; ++round) {
        hear(inner(says(BfdState::up)));
        after(100);
    }
    EXPECT_EQ(alive(), true);
    after(190);
    EXPECT_EQ(alive(), true);
    after(10);
    EXPECT_EQ(alive(), false);
    EXPECT_EQ(events(), std::vector{false});
    EXPECT_EQ(bench.pass("b1", frame(0xff, 1)).at("nic").size(), 1U) << "frames go on";
    hear(inner(says(BfdState::init)));
    EXPECT_EQ(events(), std::vector{true});
    EXPECT_EQ(bench.drops(DropReason::unknown_vni), 0U);
}
INSTANTIATE_TEST_SUITE_P(All, KeepaliveWays, testing::ValuesIn(kWays));

TEST_F(Keepalive, OfGeneveMayBeMarkedOrNot) {
    bench.model.tunnels.at("n2").type = TunnelType::geneve;
    bench.model.tunnels.at("n2").dst_port = kGenevePort;
    way.type = TunnelType::geneve;
    bench.apply();
    come_up();
    OuterSpec marked = from_remote();
    marked.shim_second = 0x80;
    bench.pass("nic", tunnelled(marked, inner(says(BfdState::down))));
    EXPECT_EQ(alive(), false);
    marked.shim_second = 0x40;
    bench.pass("nic", tunnelled(marked, inner(says(BfdState::init))));
    EXPECT_EQ(alive(), false) << "a critical option is not understood";
    marked.shim_second = 0x80;
    marked.vni = 100;
    EXPECT_EQ(bench.pass("nic", tunnelled(marked, frame(0xff, 7))), Sent{}) << "and no station gets a control packet";
    EXPECT_EQ(bench.drops(DropReason::bad_outer), 2U);
}

struct Deaf {
    const char* name;
    InnerSpec inner;
};
void PrintTo(const Deaf& test, std::ostream* out) {
    *out << test.name;
}
const Deaf kDeaf[] = {
    {"from behind a router", {.ttl = 254}},
    {"another UDP port", {.port = 4784}},
    {"no UDP", {.protocol = 6}},
    {"a wrong UDP checksum", {.udp_checksum = 0x1234}},
    {"a UDP length beyond the packet", {.udp_length = 33}},
    {"a UDP length too short for BFD", {.udp_length = 31}},
    {"a UDP length less than its header", {.udp_length = 7}},
};
struct KeepaliveDeaf : Keepalive, testing::WithParamInterface<Deaf> {};
TEST_P(KeepaliveDeaf, ToWhatIsNone) {
    come_up();
    hear(inner(says(BfdState::down), GetParam().inner));
    EXPECT_EQ(alive(), true);
}
INSTANTIATE_TEST_SUITE_P(All, KeepaliveDeaf, testing::ValuesIn(kDeaf));

TEST_F(Keepalive, SurvivesEveryTruncationInside) {
    come_up();
    const Bytes whole = inner(says(BfdState::down));
    for (std::size_t length = 0; length < whole.size(); ++length)
        hear(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    EXPECT_EQ(alive(), true);
    hear(whole);
    EXPECT_EQ(alive(), false);
}

TEST_F(Keepalive, OfAStrangerIsDropped) {
    come_up();
    OuterSpec stranger = from_remote();
    stranger.source = "192.0.2.66";
    bench.pass("nic", tunnelled(stranger, inner(says(BfdState::down))));
    EXPECT_EQ(bench.drops(DropReason::unknown_remote), 1U);
    EXPECT_EQ(alive(), true);
}

TEST_F(Keepalive, TurnedOffSaysGoodbyeAndIsHeardNoMore) {
    come_up();
    (void)bench["nic"].take_bytes();
    bench.model.tunnels.at("n2").keepalive_ms = 0;
    bench.apply();
    bench.run();
    const auto sent = keepalives(bench["nic"].take_bytes());
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(bfd_of(sent[0]).state, BfdState::admin_down);
    EXPECT_EQ(alive(), std::nullopt);
    hear(inner(says(BfdState::up)));
    EXPECT_EQ(bench.drops(DropReason::unknown_vni), 1U);
    EXPECT_TRUE(after(5000).empty());
}

TEST_F(Keepalive, GoesOnThroughOtherChanges) {
    come_up();
    events();
    bench.segment("red", 200);
    bench.model.tunnels.at("n2").segments.push_back("red");
    bench.model.tunnels.at("n2").ttl = 9;
    bench.apply();
    EXPECT_EQ(alive(), true);
    const auto sent = after(100);
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(read_outer(sent[0]).ttl, 9);
    EXPECT_EQ(bfd_of(sent[0]).state, BfdState::up);
    bench.model.tunnels.at("n2").keepalive_ms = 200;
    bench.apply();
    EXPECT_EQ(alive(), true);
    EXPECT_TRUE(events().empty());
    EXPECT_FALSE(after(100).empty());
    bench.model.tunnels.erase("n2");
    bench.apply();
    EXPECT_TRUE(after(5000).empty());
}

TEST_F(Keepalive, SaysWhenItIsDue) {
    come_up();
    const auto pause = bench.vswitch().underlay_pause();
    ASSERT_TRUE(pause);
    EXPECT_LE(*pause, 100U);
    bench.model.tunnels.at("n2").keepalive_ms = 0;
    bench.apply();
    EXPECT_EQ(bench.vswitch().underlay_pause(), std::nullopt);
}

}  // namespace
}  // namespace bulkhead::test
