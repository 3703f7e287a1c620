// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/vswitch/overlay/underlay_fixture.h"

namespace bulkhead::test {
namespace {

class UnderlayNextHops : public UnderlayTest {};

TEST_F(UnderlayNextHops, AreOnTheLinkOrTheGateway) {
    EXPECT_EQ(host_.next_hop(ip("192.0.2.77")), ip("192.0.2.77"));
    EXPECT_EQ(host_.next_hop(ip("198.51.100.1")), ip("192.0.2.254"));
    EXPECT_EQ(host_.next_hop(ip("2001:db8::77")), ip("2001:db8::77"));
    EXPECT_EQ(host_.next_hop(ip("2001:db8:1::1")), ip("2001:db8::fe"));
    EXPECT_EQ(host_.next_hop(ip("fe80::2")), ip("fe80::2"));
    EXPECT_EQ(host_.next_hop(ip("192.0.2.1")), std::nullopt) << "our own";
    settle();
    want({"198.51.100.1", "198.51.100.2", "192.0.2.254", "192.0.2.1"});
    const Bytes asked = take_only();
    ASSERT_EQ(asked.size(), 60U);
    EXPECT_EQ(Bytes(asked.begin() + 38, asked.begin() + 42), hex("c00002fe")) << "one question for all of them";
}

TEST(UnderlayRoutes, SpeakFromTheNearestAddress) {
    const UnderlayRoutes routes(
        {*IpPrefix::parse("203.0.113.1/32"), *IpPrefix::parse("10.0.0.1/8"), *IpPrefix::parse("10.1.0.1/16")},
        {ip("10.0.0.254")}, {ip("198.51.100.9")});
    EXPECT_EQ(routes.source_for(ip("10.1.2.3")), ip("10.1.0.1"));
    EXPECT_EQ(routes.source_for(ip("10.2.2.3")), ip("10.0.0.1"));
    EXPECT_EQ(routes.source_for(ip("198.51.100.9")), ip("203.0.113.1"));
    EXPECT_EQ(routes.source_for(ip("2001:db8::1")), std::nullopt);
    EXPECT_EQ(routes.next_hop(ip("198.51.100.9")), ip("198.51.100.9")) << "a fixed neighbour is on the link";
    EXPECT_EQ(routes.next_hop(ip("198.51.100.8")), ip("10.0.0.254"));
    EXPECT_EQ(routes.next_hop(ip("2001:db8::1")), std::nullopt) << "no gateway of its family";
}

}  // namespace
}  // namespace bulkhead::test
