// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom, as plain values: groups of attachments and the rules between them. What the fields mean is told
// in docs/policy.md; defaults are those of docs/api.md.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

inline constexpr std::uint16_t kMaxGroupId = 65535;  ///< 0: of no group
inline constexpr std::size_t kMaxRulesOfSegment = 4096;
inline constexpr std::size_t kMaxRuleItems = 1024;       ///< that one list of a rule has
inline constexpr std::size_t kMaxItemsOfSegment = 8192;  ///< ips, macs, ports and types of all its rules together
inline constexpr std::uint32_t kConnectionsOfPod = 16'384, kManyConnections = 65'536;  ///< that a port may open
inline constexpr std::uint32_t kMaxPolicyOrder = 1'000'000;
inline constexpr std::uint16_t kMinEthertype = 0x0600;  ///< IEEE 802.3, section 3.2.6: below are lengths
inline constexpr std::uint16_t kArpEthertype = 0x0806;

/// What happens to a frame that no rule of its segment decides about.
enum class DefaultPolicy : std::uint8_t { allow, deny };

/// A named, numbered set of attachments of one segment.
struct Group {
    std::string owner;
    std::string segment;
    std::string name;
    std::uint16_t id = 0;  ///< 1 to kMaxGroupId; unique in the segment, and the same on every node
    bool operator==(const Group&) const = default;
};

/// One end of what a rule is about. A list that is empty matches every one; lists that are not must all match.
struct PolicyEnd {
    std::vector<std::string> groups;
    std::vector<IpPrefix> ips;  ///< the network counts: host bits are of no meaning
    std::vector<MacAddress> macs;
    [[nodiscard]] bool is_any() const { return groups.empty() && ips.empty() && macs.empty(); }
    bool operator==(const PolicyEnd&) const = default;
};

/// Both included.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    auto operator<=>(const PortRange&) const = default;
};
[[nodiscard]] std::string to_string(const PortRange& ports);  ///< "443", "8000-8080"

enum class PolicyAction : std::uint8_t {
    allow,
    deny,
    redirect,  ///< to `to_port`, and on its way when it comes back from there
    mirror,    ///< a copy to `to_port`; the rules behind it decide
};

struct Policy {
    std::string owner;
    std::string segment;
    std::string name;
    std::uint32_t order = 0;  ///< lower first, ties by name
    PolicyEnd from;
    PolicyEnd to;
    std::optional<std::uint16_t> ethertype;
    std::optional<std::uint8_t> protocol;  ///< of IPv4 and IPv6 alike
    std::vector<PortRange> src_ports;      ///< of TCP, UDP and SCTP
    std::vector<PortRange> dst_ports;
    std::vector<std::uint8_t> icmp_types;  ///< of ICMP and ICMPv6
    PolicyAction action = PolicyAction::allow;
    std::string to_port;  ///< of redirect and mirror
    bool stateful = true;
    bool log = false;
    bool operator==(const Policy&) const = default;
};

}  // namespace bulkhead
