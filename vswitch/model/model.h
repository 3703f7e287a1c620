// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values: what users asked for, with every default filled in. No behaviour, no device.
// Field meanings, units and defaults are those of docs/api.md; only what differs is said here.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/model/mirror_model.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead {

inline constexpr std::uint32_t kMaxVni = (1U << 24) - 1;  ///< RFC 7348, section 5: 24 bits; 0 is not used here
inline constexpr std::uint16_t kMinMtu = 68;              ///< RFC 791, section 3.2: what every module must forward
inline constexpr std::uint16_t kMaxMtu = 9216;            ///< layer 3, jumbo frames included
inline constexpr std::uint16_t kDefaultMtu = 1500;
inline constexpr std::uint16_t kMaxQueues = 16;
inline constexpr std::uint32_t kMaxMacLimit = 1'000'000;
inline constexpr std::uint32_t kMaxMacAgeS = 1'000'000;
inline constexpr std::uint16_t kVxlanPort = 4789;   ///< RFC 7348, section 8
inline constexpr std::uint16_t kGenevePort = 6081;  ///< RFC 8926, section 7
inline constexpr std::uint32_t kMinKeepaliveMs = 50, kMaxKeepaliveMs = 60'000;
inline constexpr const char* kKeepalives = "0 (none), or 50-60000 milliseconds";
inline constexpr std::size_t kMaxAttachmentIps = 64;  ///< each is looked at for every frame
inline constexpr std::uint32_t kMaxMbps = 1'000'000, kMaxBurstKib = 1U << 20, kMaxStormPps = 1'000'000'000,
                               kMaxMacMovesPerS = 1'000'000, kMaxConnectionsOfPort = 1'000'000;
inline constexpr std::uint8_t kMaxDscp = 63;  ///< RFC 2474, section 3: six bits

enum class FloodMode : std::uint8_t {
    all,    ///< broadcast, multicast and unknown unicast reach every attachment
    known,  ///< broadcast and multicast do; unknown unicast is dropped
    none,   ///< only known unicast passes
};

struct Segment {
    std::string owner;
    std::string name;
    std::uint32_t vni = 0;
    std::uint16_t mtu = kDefaultMtu;
    FloodMode flood = FloodMode::all;
    std::uint32_t mac_limit = 4096;  ///< learned MACs; static ones do not count
    std::uint32_t mac_age_s = 300;
    std::string tenant;
    DefaultPolicy default_policy = DefaultPolicy::allow;
    bool arp_suppression = false;  ///< answer ARP and ND for addresses whose owner's MAC the controller told
    bool operator==(const Segment&) const = default;
};

/// What an attachment does with a VLAN tag that is left once the tag that chose the attachment is accounted for.
enum class TaggedFrames : std::uint8_t { drop, carry };

/// Which addresses of a sender are checked, against what its attachment says is its own.
enum class PortSecurity : std::uint8_t {
    off,
    mac,     ///< MACs: of the frame, and of its sender in ARP and Neighbor Discovery
    strict,  ///< and IP addresses: of the packet, and of its sender in ARP and Neighbor Discovery
};

/// What an attachment must not be for the others.
struct Guards {
    bool router = false;       ///< "ra": neither Router Advertisements nor Redirects (RFC 6105)
    bool dhcp_server = false;  ///< "dhcp": nothing to a DHCP client's port, of either family (RFC 7610)
    [[nodiscard]] bool any() const { return router || dhcp_server; }
    bool operator==(const Guards&) const = default;
};

/// (port, VLAN or untagged) → one segment.
struct Attachment {
    std::optional<std::uint16_t> vlan;  ///< none: untagged (and priority-tagged, IEEE 802.1Q-2018 section 6.9) frames
    std::string segment;
    std::string group;             ///< empty: of none
    std::vector<MacAddress> macs;  ///< the attachment's own addresses: static entries of the segment's MAC table
    std::vector<IpPrefix> ips;     ///< its own: addresses, and whole networks of what it routes for (is_network)
    PortSecurity security = PortSecurity::off;
    Guards guards;
    bool isolated = false;
    TaggedFrames tagged = TaggedFrames::drop;
    bool keep_tag = false;  ///< only with `vlan`: the tag stays on the frame inside the segment
    bool operator==(const Attachment&) const = default;
};

/// What a NIC is asked to do by flow rules.
enum class FlowOffload : std::uint8_t {
    off,
    partial,  ///< match what comes in, so that software has less to look up
};

struct EthdevDevice {
    std::string devargs;
    std::optional<MacAddress> mac;
    bool promiscuous = true;
    FlowOffload flow_offload = FlowOffload::partial;
    bool operator==(const EthdevDevice&) const = default;
};

struct TapDevice {
    std::string netns;   ///< path of the network namespace; empty: the daemon's own
    std::string ifname;  ///< final name inside the namespace, at most 15 bytes (IFNAMSIZ)
    std::optional<MacAddress> mac;
    std::optional<std::uint32_t> owner_uid;
    /// Only of an underlay's host TAP, see host_tap.h: instead of `mac` it has that of the NIC port's device.
    struct HostOf {
        std::string underlay;
        std::string nic;
        bool operator==(const HostOf&) const = default;
    };
    std::optional<HostOf> host_of = {};
    bool operator==(const TapDevice&) const = default;
};

enum class VhostMode : std::uint8_t { client, server };  ///< the switch's own side of the socket

/// What a vhost-user guest and we may leave each other to finish, in both directions. Segmentation needs checksums
/// (virtio 1.1, section 5.1.3.1).
struct GuestOffloads {
    bool checksum = true;
    bool tso4 = true;
    bool tso6 = true;
    bool operator==(const GuestOffloads&) const = default;
};

struct VhostUserDevice {
    std::string path;  ///< at most 107 bytes: sockaddr_un
    VhostMode mode = VhostMode::client;
    std::optional<std::uint32_t> owner_uid;
    std::optional<std::uint32_t> owner_gid;
    std::optional<std::uint32_t> socket_mode;
    GuestOffloads offloads = {};
    bool packed = false;  ///< packed rings are offered, too (virtio 1.1, section 2.7)
    bool operator==(const VhostUserDevice&) const = default;
};

/// What a port may do at most; what is absent is not limited.
struct PortLimits {
    std::optional<std::uint32_t> rx_mbps;    ///< from the port into the switch; 10^6 bits a second of whole frames
    std::optional<std::uint32_t> tx_mbps;    ///< towards the port
    std::optional<std::uint32_t> burst_kib;  ///< of both; none: 10 ms of the rate, at least 128 KiB
    std::optional<std::uint32_t> storm_pps;  ///< frames for many, and for unknown addresses
    std::optional<std::uint32_t> mac_moves_per_s;  ///< of source MACs to this port
    std::optional<std::uint32_t> connections;      ///< of policy, that it may have opened at once
    [[nodiscard]] bool has_rates() const { return rx_mbps || tx_mbps || storm_pps || mac_moves_per_s; }
    [[nodiscard]] bool any() const { return has_rates() || connections; }
    bool operator==(const PortLimits&) const = default;
};

struct Port {
    std::string owner;
    std::string name;
    std::variant<EthdevDevice, TapDevice, VhostUserDevice> device;
    std::uint16_t queues = 1;
    std::optional<std::uint16_t> mtu;     ///< none: the largest MTU of its segments, or that of the underlay it is of
    std::vector<Attachment> attachments;  ///< the untagged one first, then by VLAN
    std::vector<std::uint16_t> workers;   ///< override of the queue plan: worker of each receive queue, used in turn
    PortLimits limits = {};
    bool operator==(const Port&) const = default;
};

/// The NIC port and the addresses by which this node reaches other nodes.
struct Underlay {
    struct Neighbor {
        IpAddress ip;
        MacAddress mac;
        bool operator==(const Neighbor&) const = default;
    };

    std::string owner;
    std::string name;
    std::string port;                 ///< an ethdev that no segment is attached to
    std::vector<IpPrefix> addresses;  ///< this node's own; at least one
    std::vector<IpAddress> gateways;  ///< next hops for what is on no network of `addresses`; at most one a family
    std::optional<std::uint16_t> vlan;
    std::uint16_t mtu = kDefaultMtu;  ///< of the outer packet
    std::string host_tap;             ///< empty: none
    std::vector<Neighbor> neighbors;  ///< never asked for
    bool operator==(const Underlay&) const = default;
};

enum class TunnelType : std::uint8_t {
    vxlan,   ///< RFC 7348
    geneve,  ///< RFC 8926
};

/// The split horizon of H-VPLS (RFC 4762, section 10).
enum class Horizon : std::uint8_t {
    mesh,   ///< nothing from one mesh tunnel goes to another
    spoke,  ///< like a port of the segment
};

/// One remote node.
struct Tunnel {
    std::string owner;
    std::string name;
    TunnelType type = TunnelType::vxlan;
    std::string underlay;
    IpAddress remote;
    std::vector<std::string> segments;
    std::uint16_t dst_port = kVxlanPort;
    Horizon horizon = Horizon::mesh;
    std::uint8_t ttl = 64;
    std::optional<std::uint8_t> dscp = 0;  ///< none: that of the inner packet
    bool udp_checksum = false;
    bool trust_groups = false;       ///< groups of senders are exchanged with the remote, and its are believed
    std::uint32_t keepalive_ms = 0;  ///< pause between the keepalives; 0: none
    bool operator==(const Tunnel&) const = default;
};

/// A static entry of a segment's MAC table, placed by fdb.add (those of an attachment's `macs` are not listed here).
struct StaticMac {
    std::string owner;
    std::string segment;
    MacAddress mac;
    std::string port;            ///< this, or
    std::string tunnel;          ///< this is empty
    std::vector<IpAddress> ips;  ///< what the owner of the MAC answers ARP and ND for
    bool operator==(const StaticMac&) const = default;
};

/// Everything configured, of every owner. Keys repeat the names; std::map keeps answers in a stable order.
struct Model {
    std::map<std::string, Segment> segments;
    std::map<std::string, Port> ports;
    std::map<std::string, Underlay> underlays;
    std::map<std::string, Tunnel> tunnels;
    std::map<std::pair<std::string, MacAddress>, StaticMac> static_macs;  ///< by (segment, MAC)
    std::map<std::pair<std::string, std::string>, Group> groups;          ///< by (segment, name)
    std::map<std::pair<std::string, std::string>, Policy> policies;       ///< by (segment, name)
    std::map<std::string, Mirror> mirrors;
    bool operator==(const Model&) const = default;
};

[[nodiscard]] inline bool is_secured(const Attachment& attachment) {
    return attachment.security != PortSecurity::off || attachment.guards.any();
}

/// The MTU a port's device is opened with, layer-3 bytes.
[[nodiscard]] std::uint16_t device_mtu(const Port& port, const Model& model);

}  // namespace bulkhead
