// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/bfd_packet.h"

#include <gtest/gtest.h>

#include "tests/unit/vswitch/overlay/link_frames.h"

namespace bulkhead::test {
namespace {

/// Version 1, Up, times 3, 24 octets, from 0x11223344 to 0x55667788, 100 ms, 50 ms, no echo.
constexpr const char* kUp = "20c003181122334455667788000186a00000c35000000000";
const BfdPacket kUpPacket{.state = BfdState::up,
                          .detect_multiplier = 3,
                          .my_discriminator = 0x11223344,
                          .your_discriminator = 0x55667788,
                          .desired_min_tx_us = 100'000,
                          .required_min_rx_us = 50'000};

Bytes up_with(std::size_t at, std::uint8_t octet) {
    Bytes bytes = hex(kUp);
    bytes[at] = octet;
    return bytes;
}

TEST(BfdPacket, IsReadFieldByField) {
    EXPECT_EQ(parse_bfd(hex(kUp)), kUpPacket);
}

TEST(BfdPacket, IsWrittenAsItIsRead) {
    const auto bytes = build_bfd(kUpPacket);
    EXPECT_EQ(Bytes(bytes.begin(), bytes.end()), hex(kUp));
    BfdPacket packet = kUpPacket;
    for (const BfdState state : {BfdState::admin_down, BfdState::down, BfdState::init, BfdState::up})
        for (const bool flag : {false, true}) {
            packet.state = state;
            packet.diagnostic = flag ? BfdDiagnostic::detection_time_expired : BfdDiagnostic::administratively_down;
            packet.poll = flag;
            packet.final = packet.demand = !flag;
            EXPECT_EQ(parse_bfd(build_bfd(packet)), packet);
        }
}

TEST(BfdPacket, HasItsFlagsWhereTheRfcHasThem) {
    const auto with = [](auto&& set) {
        BfdPacket packet = kUpPacket;
        set(packet);
        return build_bfd(packet);
    };
    EXPECT_EQ(with([](BfdPacket& packet) { packet.poll = true; })[1], 0xe0);
    EXPECT_EQ(with([](BfdPacket& packet) { packet.final = true; })[1], 0xd0);
    EXPECT_EQ(with([](BfdPacket& packet) { packet.demand = true; })[1], 0xc2);
    EXPECT_EQ(with([](BfdPacket& packet) { packet.state = BfdState::init; })[1], 0x80);
    EXPECT_EQ(with([](BfdPacket& packet) { packet.state = BfdState::down; })[1], 0x40);
    EXPECT_EQ(with([](BfdPacket& packet) { packet.diagnostic = BfdDiagnostic::neighbor_signaled_down; })[0], 0x23);
}

struct Refused {
    const char* name;
    Bytes bytes;
};
void PrintTo(const Refused& test, std::ostream* out) {
    *out << test.name;
}

/// What RFC 5880, section 6.8.6, says to discard.
const Refused kRefused[] = {
    {"version 0", up_with(0, 0x00)},
    {"version 2", up_with(0, 0x40)},
    {"a length less than the header's", up_with(3, 23)},
    {"a length beyond the datagram", up_with(3, 25)},
    {"detect multiplier 0", up_with(2, 0)},
    {"multipoint", up_with(1, 0xc1)},
    {"authenticated", up_with(1, 0xc4)},
    {"my discriminator 0", hex("20c003180000000055667788000186a00000c35000000000")},
    {"your discriminator 0 in Up", hex("20c003181122334400000000000186a00000c35000000000")},
    {"your discriminator 0 in Init", hex("208003181122334400000000000186a00000c35000000000")},
};
struct RefusedBfd : testing::TestWithParam<Refused> {};
TEST_P(RefusedBfd, IsNoPacket) {
    EXPECT_EQ(parse_bfd(GetParam().bytes), std::nullopt);
}
INSTANTIATE_TEST_SUITE_P(All, RefusedBfd, testing::ValuesIn(kRefused));

TEST(BfdPacket, OfNobodyYetIsDown) {
    EXPECT_TRUE(parse_bfd(hex("204003181122334400000000000f42400000c35000000000")));
    EXPECT_TRUE(parse_bfd(hex("200003181122334400000000000f42400000c35000000000")));
}

TEST(BfdPacket, SurvivesEveryTruncation) {
    const Bytes whole = hex(kUp);
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_EQ(parse_bfd(std::span(whole).first(length)), std::nullopt) << length;
}

TEST(BfdPacket, MayHaveSomethingBehindIt) {
    Bytes longer = hex(kUp);
    longer.resize(40, 0xff);
    EXPECT_EQ(parse_bfd(longer), kUpPacket);
}

}  // namespace
}  // namespace bulkhead::test
