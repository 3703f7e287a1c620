// SPDX-License-Identifier: Apache-2.0
// Rules that a group or a rule of policy must keep by itself.
#include <array>
#include <cstdio>
#include <set>
#include <utility>

#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kSctp = 132;  // IANA, protocol numbers
constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;

std::string text_of(const std::string& name) {
    return in_quotes(name);
}
std::string text_of(const IpPrefix& network) {
    return network.to_string();
}
std::string text_of(MacAddress mac) {
    return mac.to_string();
}
std::string text_of(std::uint8_t type) {
    return std::to_string(type);
}
std::string text_of(const PortRange& ports) {
    return in_quotes(to_string(ports));
}

/// What makes two items of a list the same.
template <typename T>
T identity_of(const T& item) {
    return item;
}
std::pair<std::uint16_t, std::uint16_t> identity_of(const PortRange& ports) {
    return {ports.first, ports.last};
}
/// Host bits are of no meaning.
IpPrefix identity_of(const IpPrefix& prefix) {
    constexpr unsigned kBits = 128, kMappedBits = 96;
    IpAddress::Octets octets = prefix.address.octets();
    for (unsigned bit = prefix.length + (prefix.address.is_v4() ? kMappedBits : 0U); bit < kBits; ++bit)
        octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] & ~(0x80U >> bit % 8));
    return {.address = IpAddress(octets), .length = prefix.length};
}

template <typename T>
Result<> check_list(const std::vector<T>& items, const std::string& field) {
    if (items.size() > kMaxRuleItems) {
        return refused(field, "is too long", std::to_string(items.size()) + " items",
                       "at most " + std::to_string(kMaxRuleItems));
    }
    std::set<decltype(identity_of(items.front()))> seen;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (seen.insert(identity_of(items[i])).second) continue;
        return refused(field + "/" + std::to_string(i), "is in the list twice", text_of(items[i]), "each once");
    }
    return {};
}

Result<> check_end(const PolicyEnd& end, const std::string& field) {
    if (auto ok = check_list(end.groups, field + "/groups"); !ok) return ok;
    if (auto ok = check_list(end.ips, field + "/ips"); !ok) return ok;
    return check_list(end.macs, field + "/macs");
}

/// Nothing else has what these fields look at, and the rule would match no frame.
Result<> check_ethertype(const Policy& policy) {
    if (!policy.ethertype) return {};
    if (auto ok = check_range(*policy.ethertype, kMinEthertype, UINT16_MAX, "/ethertype"); !ok) return ok;
    if (*policy.ethertype == kIpv4 || *policy.ethertype == kIpv6) return {};
    const bool names_ips = !policy.from.ips.empty() || !policy.to.ips.empty();
    if (!policy.protocol && !names_ips) return {};
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), "0x%04x", *policy.ethertype);
    return refused("/ethertype",
                   std::string("has no ") + (policy.protocol ? "protocol" : "IP addresses") + " to be looked at",
                   *policy.ethertype == kArpEthertype ? "\"arp\"" : in_quotes(hex.data()),
                   std::string("\"ipv4\", \"ipv6\" or none beside ") + (policy.protocol ? "protocol" : "ips"));
}

Result<> check_ports(const Policy& policy, const std::vector<PortRange>& ranges, const std::string& field) {
    if (ranges.empty()) return {};
    const std::uint8_t protocol = policy.protocol.value_or(0);
    if (protocol != kTcp && protocol != kUdp && protocol != kSctp) {
        return refused(field, "is only for TCP, UDP and SCTP",
                       policy.protocol ? "protocol " + std::to_string(protocol) : "no protocol",
                       "with \"protocol\": \"tcp\", \"udp\" or \"sctp\"");
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (ranges[i].first <= ranges[i].last) continue;
        return refused(field + "/" + std::to_string(i), "ends before it begins", text_of(ranges[i]),
                       "the lower port first");
    }
    return check_list(ranges, field);
}

Result<> check_icmp_types(const Policy& policy) {
    if (policy.icmp_types.empty()) return {};
    const std::uint8_t protocol = policy.protocol.value_or(0);
    if (protocol != kIcmp && protocol != kIcmpv6) {
        return refused("/icmp_types", "is only for ICMP and ICMPv6",
                       policy.protocol ? "protocol " + std::to_string(protocol) : "no protocol",
                       "with \"protocol\": \"icmp\" or \"icmpv6\"");
    }
    return check_list(policy.icmp_types, "/icmp_types");
}

Result<> check_action(const Policy& policy) {
    const bool needs_port = policy.action == PolicyAction::redirect || policy.action == PolicyAction::mirror;
    if (needs_port && policy.to_port.empty())
        return refused("/to_port", "is missing", kNothing, "a port of the segment, with action redirect or mirror");
    if (!needs_port && !policy.to_port.empty())
        return refused("/to_port", "is only for the actions redirect and mirror", in_quotes(policy.to_port),
                       "nothing with action allow or deny");
    return {};
}

}  // namespace

std::string to_string(const PortRange& ports) {
    const std::string first = std::to_string(ports.first);
    return ports.first == ports.last ? first : first + "-" + std::to_string(ports.last);
}

Result<> check_group(const Group& group) {
    if (auto ok = check_name(group.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(group.owner, "/owner"); !ok) return ok;
    return check_range(group.id, 1, kMaxGroupId, "/id");
}

Result<> check_policy(const Policy& policy) {
    if (auto ok = check_name(policy.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(policy.owner, "/owner"); !ok) return ok;
    if (auto ok = check_range(policy.order, 0, kMaxPolicyOrder, "/order"); !ok) return ok;
    if (auto ok = check_end(policy.from, "/from"); !ok) return ok;
    if (auto ok = check_end(policy.to, "/to"); !ok) return ok;
    if (auto ok = check_ethertype(policy); !ok) return ok;
    if (auto ok = check_ports(policy, policy.src_ports, "/src_ports"); !ok) return ok;
    if (auto ok = check_ports(policy, policy.dst_ports, "/dst_ports"); !ok) return ok;
    if (auto ok = check_icmp_types(policy); !ok) return ok;
    return check_action(policy);
}

}  // namespace bulkhead
