// SPDX-License-Identifier: Apache-2.0
// Takes objects one by one and says of each whether it fits with those taken before it. validate() is this over a whole
// model; the replay at start uses it object by object, so that one that does not fit keeps nobody else out.
// Costs O(log n) an object. Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

class Admission {
  public:
    /// Segments go before their groups and the ports that attach to them, then underlays, tunnels, the entries that
    /// point at them, the rules of policy, and last the mirrors. An object that is refused leaves no trace; the Error
    /// names it (object_kind, object_name) and the field within it.
    Result<> add(const Segment& segment);
    Result<> add(const Group& group);
    Result<> add(const Port& port);
    Result<> add(const Underlay& underlay);
    Result<> add(const Tunnel& tunnel);
    Result<> add(const StaticMac& entry);
    Result<> add(const Policy& policy);
    Result<> add(const Mirror& mirror);

  private:
    using MacKey = std::pair<std::string, MacAddress>;

    struct PortFacts {
        bool is_ethdev = false;
        bool has_limits = false;
        std::optional<std::uint16_t> mtu;
        std::set<std::string> segments;
    };
    struct TunnelFacts {
        TunnelType type = TunnelType::vxlan;
        std::string name;
    };

    Result<> check_attachments(const Port& port) const;
    Result<> check_macs(const Port& port) const;
    static Result<> check_security(const Port& port);
    Result<> check_group_of(const Port& port) const;
    Result<> check_underlay_port(const Underlay& underlay) const;
    Result<> check_addresses_are_free(const Underlay& underlay) const;
    Result<> check_host_tap(const Underlay& underlay) const;
    Result<> check_remote(const Tunnel& tunnel) const;
    Result<> check_segments(const Tunnel& tunnel) const;
    Result<> check_place(const StaticMac& entry) const;
    Result<> check_ips(const StaticMac& entry) const;
    Result<> check_groups(const Policy& policy, const PolicyEnd& end, const std::string& field) const;
    Result<> check_to_port(const Policy& policy) const;
    Result<> check_mirror_rule(const Policy& policy) const;
    Result<> check_source(const Mirror& mirror) const;
    Result<> check_target(const Mirror& mirror) const;
    /// The underlay that has a port as its own; empty: none.
    std::string underlay_of(const std::string& port) const;
    /// A port, a host TAP and a tunnel take one index each, and one for every segment they are in.
    Result<> check_room(std::size_t attachments) const;

    std::map<std::string, std::uint16_t, std::less<>> mtu_of_segment_;
    std::unordered_map<std::uint32_t, std::string> segment_by_vni_;
    std::map<std::string, PortFacts, std::less<>> ports_;
    std::unordered_map<std::string, std::string> port_by_device_;
    std::map<std::string, Underlay, std::less<>> underlays_;
    std::map<std::string, std::set<std::string>, std::less<>> segments_of_tunnel_;
    std::map<IpAddress, TunnelFacts> tunnel_by_remote_;
    std::map<std::uint16_t, TunnelFacts> tunnel_by_udp_port_;  ///< the first that has it
    std::map<MacKey, std::string> place_by_mac_;               ///< "port \"web-0\"", "tunnel \"edge-2\""
    std::map<std::pair<std::string, IpAddress>, MacAddress> mac_by_ip_;
    std::set<std::pair<std::string, std::string>> groups_;  ///< (segment, name)
    std::map<std::pair<std::string, std::uint16_t>, std::string> group_by_id_;
    std::map<std::string, std::size_t> rules_of_segment_;
    std::map<std::string, std::size_t> mirror_rules_of_segment_;
    std::map<std::pair<std::string, std::string>, PolicyAction> action_of_rule_;  ///< by (segment, name)
    std::size_t rules_ = 0;
    std::size_t mirror_rules_ = 0;
    std::size_t mirrors_ = 0;
    std::size_t attachments_ = 0;
    std::size_t host_taps_ = 0;
};

/// What two ports must not share, as text: the socket path, the interface in its namespace, the DPDK device.
[[nodiscard]] std::string device_identity(const Port& port);

/// The JSON pointer of an attachment within its port: "" for the untagged one, "/vlans/N" for the others.
[[nodiscard]] std::string attachment_pointer(const Port& port, const Attachment& attachment);

/// The refusal of a reference to a segment that is not there (or that the caller may not know of).
[[nodiscard]] Error no_such_segment(std::string_view name, std::string field);
/// The same of any kind of object; `allowed` says what would do.
[[nodiscard]] Error no_such_object(std::string_view kind, std::string_view name, std::string field,
                                   std::string allowed);
[[nodiscard]] Error no_such_group(std::string_view segment, std::string_view name, std::string field);

/// `port "web-0"` or `tunnel "edge-2"`: where an entry says that its address is.
[[nodiscard]] std::string place_of(const StaticMac& entry);

}  // namespace bulkhead
