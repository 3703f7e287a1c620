// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/next_hop.h"

#include <gtest/gtest.h>

namespace bulkhead {
namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
IpPrefix cidr(const char* text) {
    return *IpPrefix::parse(text);
}

TEST(NextHop, IsTheAddressItselfOrTheGatewayOfItsFamily) {
    Underlay underlay;
    underlay.addresses = {cidr("192.0.2.1/24"), cidr("2001:db8::1/64")};
    underlay.gateways = {ip("192.0.2.254")};
    EXPECT_EQ(next_hop(underlay, ip("192.0.2.77")), ip("192.0.2.77"));
    EXPECT_EQ(next_hop(underlay, ip("203.0.113.3")), ip("192.0.2.254"));
    EXPECT_EQ(next_hop(underlay, ip("2001:db8::7")), ip("2001:db8::7"));
    EXPECT_EQ(next_hop(underlay, ip("2001:db9::7")), std::nullopt);
}

TEST(NextHop, TheLongestNetworkIsTheOne) {
    Underlay underlay;
    underlay.addresses = {cidr("10.0.0.1/8"), cidr("10.1.0.1/16"), cidr("10.2.0.1/16")};
    EXPECT_EQ(network_of(underlay, ip("10.1.2.3")), &underlay.addresses[1]);
    EXPECT_EQ(network_of(underlay, ip("10.3.0.1")), underlay.addresses.data());
    EXPECT_EQ(network_of(underlay, ip("11.0.0.1")), nullptr);
}

TEST(NextHop, WhatOneNodeCanHave) {
    EXPECT_TRUE(is_host_of(cidr("192.0.2.0/31"), ip("192.0.2.0")));
    EXPECT_TRUE(is_host_of(cidr("192.0.2.1/32"), ip("192.0.2.1")));
    EXPECT_FALSE(is_host_of(cidr("192.0.2.1/30"), ip("192.0.2.3")));
    EXPECT_TRUE(is_host_of(cidr("2001:db8::/127"), ip("2001:db8::")));
    EXPECT_TRUE(is_host_of(cidr("2001:db8::1/126"), ip("2001:db8::3")));
    EXPECT_FALSE(is_host_of(cidr("2001:db8::1/126"), ip("2001:db8::")));
}

TEST(NextHop, WhatATunnelAdds) {
    Tunnel tunnel;
    tunnel.remote = ip("192.0.2.2");
    EXPECT_EQ(tunnel_overhead(tunnel), 50);
    tunnel.trust_groups = true;
    EXPECT_EQ(tunnel_overhead(tunnel), 50) << "VXLAN has room for the group";
    tunnel.type = TunnelType::geneve;
    EXPECT_EQ(tunnel_overhead(tunnel), 58);
    tunnel.remote = ip("2001:db8::2");
    EXPECT_EQ(tunnel_overhead(tunnel), 78);
    tunnel.trust_groups = false;
    EXPECT_EQ(tunnel_overhead(tunnel), 70);
}

}  // namespace
}  // namespace bulkhead
