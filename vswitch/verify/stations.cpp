// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/stations.h"

#include <algorithm>

#include "vswitch/overlay/neighbor_message.h"

namespace bulkhead {
namespace {

constexpr FieldValue kGreatestV4 = 0xffff'ffff;
constexpr FieldValue kFirstGroupV4 = 0xe000'0000;              // 224.0.0.0/4: RFC 5771; above are no station's either
constexpr FieldValue kFirstGroupV6 = FieldValue{0xff} << 120;  // ff00::/8: RFC 4291, section 2.7

bool is_of(FlowFamily family, const IpPrefix& prefix) {
    return prefix.address.is_v4() == (family == FlowFamily::ipv4);
}

FieldValue greatest(FlowFamily family) {
    return family == FlowFamily::ipv4 ? kGreatestV4 : ~FieldValue{0};
}

/// Its own of a family: addresses, whole networks, and the link-local addresses that are made of its MACs.
std::vector<ValueRange> own_ranges(const Attachment& station, FlowFamily family) {
    std::vector<ValueRange> ranges;
    for (const IpPrefix& ip : station.ips) {
        if (!is_of(family, ip)) continue;
        const FieldValue value = value_of(ip.address);
        ranges.push_back(is_network(ip) ? range_of(ip) : ValueRange{value, value});
    }
    if (family == FlowFamily::ipv6)
        for (const MacAddress& mac : station.macs) {
            const FieldValue value = value_of(link_local_of(mac).address);
            ranges.push_back({value, value});
        }
    return ranges;
}

/// Ascending, and none overlaps another.
std::vector<AxisDomain::Region> regions_of(std::vector<ValueRange> ranges, bool is_main) {
    std::ranges::sort(ranges, {}, &ValueRange::first);
    std::vector<AxisDomain::Region> regions;
    for (const ValueRange& range : ranges) {
        if (!regions.empty() && range.first <= regions.back().range.last)
            regions.back().range.last = std::max(regions.back().range.last, range.last);
        else
            regions.push_back({range, is_main});
    }
    return regions;
}

AxisDomain whole(const Attachment& station, FlowFamily family) {
    AxisDomain domain{.regions = {{{0, greatest(family)}}}, .liked = {}, .edges = {}};
    for (const IpPrefix& ip : station.ips)
        if (is_of(family, ip)) domain.liked.push_back(value_of(ip.address));
    return domain;
}

}  // namespace

FieldValue value_of(const IpAddress& address) {
    if (address.is_v4()) return address.v4_value();
    FieldValue value = 0;
    for (const std::uint8_t octet : address.octets()) value = value << 8 | octet;
    return value;
}

IpAddress address_of(FlowFamily family, FieldValue value) {
    if (family == FlowFamily::ipv4) return IpAddress::v4(static_cast<std::uint32_t>(value));
    IpAddress::Octets octets{};
    for (unsigned at = 0; at < 16; ++at) octets[at] = static_cast<std::uint8_t>(value >> (120 - 8 * at));
    return IpAddress(octets);
}

ValueRange range_of(const IpPrefix& prefix) {
    const FieldValue all = greatest(prefix.address.is_v4() ? FlowFamily::ipv4 : FlowFamily::ipv6);
    const unsigned bits = prefix.address.is_v4() ? 32 : 128;
    const FieldValue hosts = prefix.length >= bits ? 0 : all >> prefix.length;
    const FieldValue first = value_of(prefix.address) & ~hosts & all;
    return {first, first | hosts};
}

AxisDomain source_addresses(const Attachment& sender, FlowFamily family) {
    if (sender.security != PortSecurity::strict) return whole(sender, family);
    // Neither the unspecified address nor those of many are anybody's, whatever networks he routes for.
    const FieldValue last = family == FlowFamily::ipv4 ? kFirstGroupV4 - 1 : kFirstGroupV6 - 1;
    std::vector<ValueRange> ranges;
    for (const ValueRange& own : own_ranges(sender, family)) {
        const ValueRange range{std::max<FieldValue>(own.first, 1), std::min(own.last, last)};
        if (range.first <= range.last) ranges.push_back(range);
    }
    AxisDomain domain = whole(sender, family);
    domain.regions = regions_of(std::move(ranges), true);
    domain.regions.insert(domain.regions.begin(), {{0, 0}, false});
    return domain;
}

AxisDomain destination_addresses(const Attachment& receiver, FlowFamily family) {
    AxisDomain domain = whole(receiver, family);
    if (receiver.security != PortSecurity::strict) return domain;
    std::vector<ValueRange> ranges = own_ranges(receiver, family);
    if (family == FlowFamily::ipv4) {
        constexpr FieldValue kGroups = 0x1000'0000;
        ranges.push_back({kFirstGroupV4, kFirstGroupV4 + kGroups - 1});
        ranges.push_back({kGreatestV4, kGreatestV4});
    } else {
        ranges.push_back({kFirstGroupV6, ~FieldValue{0}});
    }
    domain.regions = regions_of(std::move(ranges), true);
    return domain;
}

bool may_send_from(const Attachment& sender, MacAddress mac) {
    return sender.security == PortSecurity::off || std::ranges::find(sender.macs, mac) != sender.macs.end();
}

bool may_get(const Attachment& receiver, MacAddress mac) {
    return mac.is_multicast() || receiver.security == PortSecurity::off ||
           std::ranges::find(receiver.macs, mac) != receiver.macs.end();
}

}  // namespace bulkhead
