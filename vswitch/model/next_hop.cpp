// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/next_hop.h"

#include <algorithm>

#include "vswitch/overlay/sender_group.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

const IpPrefix* network_of(const Underlay& underlay, const IpAddress& address) {
    const IpPrefix* longest = nullptr;
    for (const IpPrefix& own : underlay.addresses)
        if (own.contains(address) && (longest == nullptr || own.length > longest->length)) longest = &own;
    return longest;
}

std::optional<IpAddress> next_hop(const Underlay& underlay, const IpAddress& address) {
    if (network_of(underlay, address) != nullptr) return address;
    const auto gateway = std::ranges::find(underlay.gateways, address.is_v4(), &IpAddress::is_v4);
    return gateway == underlay.gateways.end() ? std::nullopt : std::optional(*gateway);
}

IpAddress local_address(const Underlay& underlay, const IpAddress& remote) {
    const auto hop = next_hop(underlay, remote);
    const IpPrefix* const network = hop ? network_of(underlay, *hop) : nullptr;
    return network == nullptr ? IpAddress() : network->address;
}

bool is_own_address(const Underlay& underlay, const IpAddress& address) {
    return std::ranges::find(underlay.addresses, address, &IpPrefix::address) != underlay.addresses.end();
}

bool is_host_of(const IpPrefix& network, const IpAddress& address) {
    constexpr unsigned kBits = 128, kBitsBeforeV4 = 96;
    const unsigned first = network.length + (address.is_v4() ? kBitsBeforeV4 : 0U);
    if (first + 1 >= kBits) return true;
    bool has_zero = false, has_one = false;
    for (unsigned bit = first; bit < kBits; ++bit) {
        const bool is_set = (address.octets()[bit / 8] >> (7 - bit % 8) & 1) != 0;
        (is_set ? has_one : has_zero) = true;
    }
    return has_one && (has_zero || !address.is_v4());
}

std::uint16_t tunnel_overhead(const Tunnel& tunnel) {
    constexpr std::uint16_t kInnerEthernet = 14, kTunnelHeader = 8;
    const std::uint16_t options = options_length(group_field_of(tunnel));
    return static_cast<std::uint16_t>(kInnerEthernet + kTunnelHeader + options + kUdpHeader +
                                      (tunnel.remote.is_v4() ? kIpv4Header : kIpv6Header));
}

}  // namespace bulkhead
