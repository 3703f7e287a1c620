// SPDX-License-Identifier: Apache-2.0
#include "vswitch/security/station_rules.h"

#include "vswitch/overlay/neighbor_message.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

/// The first `bits` of `width` are set; `bits` may be more.
template <typename Unsigned>
constexpr Unsigned mask_of(unsigned bits) {
    constexpr unsigned kWidth = 8 * sizeof(Unsigned);
    if (bits == 0) return 0;
    return bits >= kWidth ? ~Unsigned{0} : static_cast<Unsigned>(~Unsigned{0} << (kWidth - bits));
}

}  // namespace

StationRules::StationRules(const Attachment& attachment)
    : checks_macs_(attachment.security != PortSecurity::off),
      checks_ips_(attachment.security == PortSecurity::strict),
      forbids_router_(attachment.guards.router),
      forbids_dhcp_server_(attachment.guards.dhcp_server) {
    for (const MacAddress& mac : attachment.macs) {
        macs_.push_back(mac.value());
        add_ipv6(link_local_of(mac).address, 128);
    }
    std::ranges::sort(macs_);
    for (const IpPrefix& ip : attachment.ips) add(ip);
}

void StationRules::add(const IpPrefix& prefix) {
    const unsigned width = prefix.address.is_v4() ? 32 : 128;
    const unsigned bits = is_network(prefix) ? prefix.length : width;
    if (!prefix.address.is_v4()) return add_ipv6(prefix.address, bits);
    const auto mask = mask_of<std::uint32_t>(bits);
    ipv4_.push_back({.value = prefix.address.v4_value() & mask, .mask = mask});
}

void StationRules::add_ipv6(const IpAddress& address, unsigned bits) {
    Ipv6Net net{.value = {}, .mask = {mask_of<std::uint64_t>(bits), mask_of<std::uint64_t>(bits < 64 ? 0 : bits - 64)}};
    for (unsigned half = 0; half < 2; ++half)
        net.value[half] = load_big_endian<std::uint64_t>(address.octets().data() + 8UL * half) & net.mask[half];
    ipv6_.push_back(net);
}

bool StationRules::owns_ipv6(const std::uint8_t* address) const noexcept {
    const auto upper = load_big_endian<std::uint64_t>(address), lower = load_big_endian<std::uint64_t>(address + 8);
    return std::ranges::any_of(ipv6_, [upper, lower](const Ipv6Net& net) {
        return (((upper & net.mask[0]) ^ net.value[0]) | ((lower & net.mask[1]) ^ net.value[1])) == 0;
    });
}

}  // namespace bulkhead
