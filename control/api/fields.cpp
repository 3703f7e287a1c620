// SPDX-License-Identifier: Apache-2.0
#include "control/api/fields.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr bool kRequired = true, kOptional = false, kImmutable = true, kMutable = false, kNotYet = false,
               kBuiltIn = true;

// One row, one line, whatever its length: the columns are what makes a table readable.
// clang-format off

constexpr Field kOwner{"owner", string, kOptional, kMutable, kBuiltIn, R"("")", "whose object it is; config.apply speaks for one owner; what a tenant adds is its own unless it says otherwise"};

constexpr Field kConfig[] = {
    {"version", integer, kRequired, kMutable, kBuiltIn, "", "version of this format: 1"},
    {"node", object, kOptional, kImmutable, kBuiltIn, "{}", "this node; fixed at start"},
    {"underlays", array, kOptional, kMutable, kBuiltIn, "[]", "NIC ports and addresses that tunnels use", object},
    {"segments", array, kOptional, kMutable, kBuiltIn, "[]", "isolated layer-2 domains", object},
    {"groups", array, kOptional, kMutable, kBuiltIn, "[]", "named sets of attachments that policy speaks of", object},
    {"ports", array, kOptional, kMutable, kBuiltIn, "[]", "where frames enter and leave", object},
    {"fdb", array, kOptional, kMutable, kBuiltIn, "[]", "static MAC entries", object},
    {"tunnels", array, kOptional, kMutable, kBuiltIn, "[]", "remote nodes", object},
    {"policies", array, kOptional, kMutable, kBuiltIn, "[]", "who may talk to whom", object},
    {"mirrors", array, kOptional, kMutable, kBuiltIn, "[]", "copies of traffic for an observer", object},
};

constexpr Field kNode[] = {
    {"name", string, kOptional, kMutable, kBuiltIn, R"("")", "name of this node; empty: the host name"},
    {"cores", string, kOptional, kMutable, kBuiltIn, R"("1")", "CPU cores of the workers, one each: \"1\", \"2-5\", \"1,3\""},
    {"memory_mib", integer, kOptional, kMutable, kBuiltIn, "512", "hugepage memory for packets and tables, MiB, 64-65536"},
    {"hugepages", string, kOptional, kMutable, kBuiltIn, R"("auto")", "page size: auto, 2M, 1G, or none (ordinary pages: slow, for trials)"},
    {"eal_args", array, kOptional, kMutable, kBuiltIn, "[]", "further arguments for DPDK's EAL"},
    {"idle", object, kOptional, kMutable, kBuiltIn, "{}", "what a worker does when there is no traffic"},
    {"roles", array, kOptional, kMutable, kBuiltIn, "[]", "who may use the control socket", object},
    {"netns_roots", array, kOptional, kMutable, kBuiltIn, R"(["/run/netns","/var/run/netns"])", "folders that callers below admin may take network namespaces from"},
    {"vhost_roots", array, kOptional, kMutable, kBuiltIn, R"(["/run/bulkhead/vhost"])", "folders that callers below admin may have vhost sockets in"},
    {"metrics", object, kOptional, kMutable, kNotYet, "{}", "where metrics are served"},
};

constexpr Field kIdle[] = {
    {"mode", string, kOptional, kMutable, kBuiltIn, R"("adaptive")", "adaptive: sleep when idle; busy: poll without pause"},
    {"max_sleep_us", integer, kOptional, kMutable, kBuiltIn, "1000", "longest sleep where a port can't wake its worker, 1-100000"},
};

constexpr Field kRole[] = {
    {"uid", integer, kOptional, kMutable, kBuiltIn, "", "user id"},
    {"group", any, kOptional, kMutable, kBuiltIn, "", "group, by name or number; supplementary groups count"},
    {"role", string, kRequired, kMutable, kBuiltIn, "", "admin, operator, viewer or tenant"},
    {"tenant", string, kOptional, kMutable, kBuiltIn, R"("")", "which tenant, for the role tenant"},
};

constexpr Field kSegment[] = {
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among segments"},
    kOwner,
    {"vni", integer, kRequired, kImmutable, kBuiltIn, "", "virtual network identifier, 1-16777215, the same on every node"},
    {"mtu", integer, kOptional, kMutable, kBuiltIn, "1500", "largest layer-3 packet, 68-9216 bytes"},
    {"flood", string, kOptional, kMutable, kBuiltIn, R"("all")", "all; known: no unknown unicast; none: known unicast only"},
    {"mac_limit", integer, kOptional, kMutable, kBuiltIn, "4096", "learned MACs at most, 0-1000000"},
    {"mac_age_s", integer, kOptional, kMutable, kBuiltIn, "300", "seconds until a silent learned MAC is forgotten, 1-1000000"},
    {"tenant", string, kOptional, kMutable, kBuiltIn, R"("")", "the tenant that may see and use it"},
    {"default_policy", string, kOptional, kMutable, kBuiltIn, R"("allow")", "what happens to a frame that no rule decides about: allow or deny"},
    {"arp_suppression", boolean, kOptional, kMutable, kBuiltIn, "false", "answer ARP and ND for the ips that fdb.add placed"},
    {"encryption", string, kOptional, kMutable, kNotYet, R"("none")", "none or required on tunnels"},
};

#define BULKHEAD_ATTACHMENT_FIELDS                                                                                              \
    {"group", string, kOptional, kMutable, kBuiltIn, R"("")", "group of the attachment, one of its segment; empty: of none"},      \
    {"macs", array, kOptional, kMutable, kBuiltIn, "[]", "its own MAC addresses: static entries that no other port can take"},     \
    {"ips", array, kOptional, kMutable, kBuiltIn, "[]", "its own IP addresses, like 10.1.0.10/24; with a host part of zeros the whole network, for what routes (at most 64)"}, \
    {"security", string, kOptional, kMutable, kBuiltIn, R"("off")", "off; mac: senders in frames, ARP and ND must have one of macs; strict: and one of ips (DHCP, DAD and link-local addresses made of macs pass)"}, \
    {"isolated", boolean, kOptional, kMutable, kBuiltIn, "false", "talks only to attachments that are not isolated"},             \
    {"guards", array, kOptional, kMutable, kBuiltIn, "[]", "what it must not be: ra (sends no router advertisements or redirects), dhcp (sends nothing to DHCP clients)"}, \
    {"tagged", string, kOptional, kMutable, kBuiltIn, R"("drop")", "drop or carry frames with a (further) VLAN tag"}

constexpr Field kPort[] = {
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among ports"},
    kOwner,
    {"type", string, kRequired, kImmutable, kBuiltIn, "", "vhost-user, tap or ethdev"},
    {"queues", integer, kOptional, kImmutable, kBuiltIn, "1", "queue pairs, 1-16"},
    {"mtu", integer, kOptional, kMutable, kBuiltIn, "", "the device's MTU, layer-3 bytes; absent: the largest of its segments"},
    {"workers", array, kOptional, kMutable, kBuiltIn, "[]", "worker of each receive queue, used in turn; empty: spread by the switch", integer},
    {"path", string, kOptional, kImmutable, kBuiltIn, "", "vhost-user: the socket, at most 107 bytes"},
    {"mode", string, kOptional, kImmutable, kBuiltIn, R"("client")", "vhost-user: the switch's own side, client or server"},
    {"owner_uid", integer, kOptional, kImmutable, kBuiltIn, "", "vhost-user server, tap: user that owns the socket or device"},
    {"owner_gid", integer, kOptional, kImmutable, kBuiltIn, "", "vhost-user server: group that owns the socket"},
    {"socket_mode", string, kOptional, kImmutable, kBuiltIn, "", "vhost-user server: permission bits of the socket in octal, e.g. \"0660\""},
    {"offloads", array, kOptional, kMutable, kBuiltIn, R"(["csum","tso4","tso6"])", "vhost-user: what is offered to the guest when it next connects; what it was offered and shall not have any more is finished in software"},
    {"packed", boolean, kOptional, kImmutable, kBuiltIn, "false", "vhost-user: packed rings are offered, too; they do not survive a kill of the switch"},
    {"netns", string, kOptional, kImmutable, kBuiltIn, R"("")", "tap: path of the network namespace; empty: the daemon's own"},
    {"ifname", string, kOptional, kImmutable, kBuiltIn, "", "tap: interface name in the namespace, at most 15 bytes"},
    {"mac", string, kOptional, kImmutable, kBuiltIn, "", "tap, ethdev: address of the device"},
    {"devargs", string, kOptional, kImmutable, kBuiltIn, "", "ethdev: DPDK device arguments, e.g. 0000:03:00.0 or net_pcap0,iface=eth1"},
    {"promiscuous", boolean, kOptional, kImmutable, kBuiltIn, "true", "ethdev: receive what is not addressed to the NIC"},
    {"flow_offload", string, kOptional, kImmutable, kBuiltIn, R"("partial")", "ethdev: what the NIC is asked to do by flow rules: off, or partial (tell the frames of tunnels); docs/offload.md"},
    {"limits", object, kOptional, kMutable, kBuiltIn, "{}", "rates and bounds; what is absent is not limited"},
    {"vlans", array, kOptional, kMutable, kBuiltIn, "[]", "tagged attachments of a trunk port", object},
    {"segment", string, kOptional, kMutable, kBuiltIn, "", "segment of untagged frames"},
    BULKHEAD_ATTACHMENT_FIELDS,
};

constexpr Field kLimits[] = {
    {"rx_mbps", integer, kOptional, kMutable, kBuiltIn, "", "from the port into the switch: 10^6 bits of frames a second, 1-1000000"},
    {"tx_mbps", integer, kOptional, kMutable, kBuiltIn, "", "towards the port, 1-1000000"},
    {"burst_kib", integer, kOptional, kMutable, kBuiltIn, "", "what may come at once after a rest, 1-1048576 KiB; absent: 10 ms of the rate, at least 128"},
    {"storm_pps", integer, kOptional, kMutable, kBuiltIn, "", "broadcast, multicast and unknown unicast frames from the port a second, 0-1000000000"},
    {"mac_moves_per_s", integer, kOptional, kMutable, kBuiltIn, "", "source MACs that may move to the port a second, 0-1000000"},
    {"connections", integer, kOptional, kMutable, kBuiltIn, "", "connections that it may have opened at once, where there is policy, 0-1000000; absent: 16384, a NIC 65536"},
};

constexpr Field kAttachment[] = {
    {"vlan", integer, kRequired, kMutable, kBuiltIn, "", "VLAN identifier, 1-4094"},
    {"segment", string, kRequired, kMutable, kBuiltIn, "", "segment of frames with that tag"},
    {"keep_tag", boolean, kOptional, kMutable, kBuiltIn, "false", "the tag stays on the frame inside the segment"},
    BULKHEAD_ATTACHMENT_FIELDS,
};

constexpr Field kFdb[] = {
    {"segment", string, kRequired, kImmutable, kBuiltIn, "", "segment of the entry"},
    {"mac", string, kRequired, kImmutable, kBuiltIn, "", "unicast MAC address"},
    kOwner,
    {"port", string, kOptional, kMutable, kBuiltIn, "", "port it is behind; this or tunnel", string, true},
    {"tunnel", string, kOptional, kMutable, kBuiltIn, "", "tunnel it is behind; this or port"},
    {"ips", array, kOptional, kMutable, kBuiltIn, "[]", "IP addresses of the MAC"},
};

constexpr Field kUnderlay[] = {
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among underlays"},
    kOwner,
    {"port", string, kRequired, kImmutable, kBuiltIn, "", "NIC port it uses: an ethdev that no segment is attached to"},
    {"addresses", array, kRequired, kMutable, kBuiltIn, "", "this node's addresses on it, in CIDR notation"},
    {"gateways", array, kOptional, kMutable, kBuiltIn, "[]", "next hops beyond the link, one IPv4 and one IPv6 at most"},
    {"vlan", integer, kOptional, kMutable, kBuiltIn, "", "VLAN of the underlay, 1-4094; absent: untagged"},
    {"mtu", integer, kOptional, kMutable, kBuiltIn, "1500", "largest outer layer-3 packet, 68-9216 bytes (with IPv6 from 1280)"},
    {"host_tap", string, kOptional, kMutable, kBuiltIn, R"("")", "TAP that hands all else of the NIC to this node's kernel, 1-15 bytes; empty: none"},
    {"neighbors", array, kOptional, kMutable, kBuiltIn, "[]", "fixed neighbours, which are never asked for", object},
};

constexpr Field kNeighbor[] = {
    {"ip", string, kRequired, kMutable, kBuiltIn, "", "address on a network of the underlay"},
    {"mac", string, kRequired, kMutable, kBuiltIn, "", "its unicast MAC address"},
};

constexpr Field kTunnel[] = {
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name of the tunnel, usually the remote node's"},
    kOwner,
    {"type", string, kRequired, kImmutable, kBuiltIn, "", "vxlan or geneve"},
    {"underlay", string, kRequired, kMutable, kBuiltIn, "", "underlay it goes over"},
    {"remote", string, kRequired, kImmutable, kBuiltIn, "", "address of the remote node"},
    {"segments", array, kOptional, kMutable, kBuiltIn, "[]", "segments it carries"},
    {"dst_port", integer, kOptional, kMutable, kBuiltIn, "", "UDP port of the remote node, 1-65535; absent: 4789 for vxlan, 6081 for geneve"},
    {"horizon", string, kOptional, kMutable, kBuiltIn, R"("mesh")", "mesh: nothing goes on to another mesh tunnel; spoke: like a port"},
    {"trust_groups", boolean, kOptional, kMutable, kBuiltIn, "false", "exchange senders' groups with the remote node, and believe its"},
    {"ttl", integer, kOptional, kMutable, kBuiltIn, "64", "time to live of the outer header, 1-255"},
    {"dscp", any, kOptional, kMutable, kBuiltIn, "0", "DSCP of the outer header: 0-63, or copy for that of the inner packet"},
    {"udp_checksum", boolean, kOptional, kMutable, kBuiltIn, "", "fill in the outer UDP checksum; absent: false over IPv4, true over IPv6"},
    {"keepalive_ms", integer, kOptional, kMutable, kBuiltIn, "0", "pause between the keepalives (BFD) of the tunnel: 50-60000; 0: none"},
};

constexpr Field kGroup[] = {
    {"segment", string, kRequired, kImmutable, kBuiltIn, "", "segment of the group"},
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among the groups of the segment"},
    {"id", integer, kRequired, kMutable, kBuiltIn, "", "number, 1-65535, unique in the segment and the same on every node"},
    kOwner,
};

constexpr Field kPolicy[] = {
    {"segment", string, kRequired, kImmutable, kBuiltIn, "", "segment of the rule"},
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among the rules of the segment"},
    {"order", integer, kRequired, kMutable, kBuiltIn, "", "lower comes first, ties by name; 0-1000000"},
    {"action", string, kRequired, kMutable, kBuiltIn, "", "allow, deny, redirect (to to_port), or mirror (a copy to to_port; other rules decide)"},
    kOwner,
    {"from", object, kOptional, kMutable, kBuiltIn, "{}", "senders"},
    {"to", object, kOptional, kMutable, kBuiltIn, "{}", "receivers"},
    {"ethertype", any, kOptional, kMutable, kBuiltIn, "", "EtherType behind VLAN tags: ipv4, ipv6, arp, or a number, also as \"0x88cc\" (from 0x600)"},
    {"protocol", any, kOptional, kMutable, kBuiltIn, "", "IP protocol: tcp, udp, sctp, icmp, icmpv6, igmp, gre, esp, ah, ..., or 0-255"},
    {"src_ports", array, kOptional, kMutable, kBuiltIn, "[]", "source ports of tcp, udp or sctp: \"443\", \"8000-8080\"", any},
    {"dst_ports", array, kOptional, kMutable, kBuiltIn, "[]", "destination ports of tcp, udp or sctp: \"443\", \"8000-8080\"", any},
    {"icmp_types", array, kOptional, kMutable, kBuiltIn, "[]", "types of icmp or icmpv6, 0-255", integer},
    {"to_port", string, kOptional, kMutable, kBuiltIn, R"("")", "redirect, mirror: a port of the segment"},
    {"stateful", boolean, kOptional, kMutable, kBuiltIn, "true", "what is allowed opens a connection, whose answers pass, too"},
    {"log", boolean, kOptional, kMutable, kBuiltIn, "false", "tell of what it decides: events of kind policy.log, and the daemon's log"},
};

constexpr Field kMirror[] = {
    {"name", string, kRequired, kImmutable, kBuiltIn, "", "name, unique among mirrors"},
    {"to", string, kRequired, kMutable, kBuiltIn, "", "port that gets the copies; with vni a tunnel"},
    kOwner,
    {"port", string, kOptional, kMutable, kBuiltIn, "", "source: a port; this, or segment", string, true},
    {"segment", string, kOptional, kMutable, kBuiltIn, "", "source: a segment; with policy a rule of it"},
    {"policy", string, kOptional, kMutable, kBuiltIn, "", "source: what that rule of the segment decides about"},
    {"vni", integer, kOptional, kMutable, kBuiltIn, "", "of the copies in the tunnel, 1-16777215; one that no segment has"},
    {"direction", string, kOptional, kMutable, kBuiltIn, R"("both")", "in: into the switch by the port, or into the segment; out: the other way; both"},
    {"snaplen", integer, kOptional, kMutable, kBuiltIn, "", "octets that are copied of each frame at most, 14-65535; absent: all"},
};

constexpr Field kPolicyEnd[] = {
    {"groups", array, kOptional, kMutable, kBuiltIn, "[]", "groups of the segment (at most 1024, as of each list)"},
    {"ips", array, kOptional, kMutable, kBuiltIn, "[]", "networks in CIDR notation, IPv4 and IPv6"},
    {"macs", array, kOptional, kMutable, kBuiltIn, "[]", "MAC addresses"},
};

constexpr Field kFlow[] = {
    {"from_group", string, kOptional, kMutable, kBuiltIn, "", "group of the sender; \"\": none; absent: that of source_mac"},
    {"to_group", string, kOptional, kMutable, kBuiltIn, "", "group of the receiver; \"\": none; absent: that of destination_mac"},
    {"ethertype", any, kOptional, kMutable, kBuiltIn, "", "as in a rule; absent: that of the addresses, else ipv4"},
    {"protocol", any, kOptional, kMutable, kBuiltIn, "", "as in a rule; needed of an IP packet"},
    {"source", string, kOptional, kMutable, kBuiltIn, "", "IP address"},
    {"destination", string, kOptional, kMutable, kBuiltIn, "", "IP address"},
    {"source_port", integer, kOptional, kMutable, kBuiltIn, "0", "of tcp, udp or sctp"},
    {"destination_port", integer, kOptional, kMutable, kBuiltIn, "0", "of tcp, udp or sctp"},
    {"icmp_type", integer, kOptional, kMutable, kBuiltIn, "0", "of icmp or icmpv6"},
    {"source_mac", string, kOptional, kMutable, kBuiltIn, "", "MAC address"},
    {"destination_mac", string, kOptional, kMutable, kBuiltIn, "", "MAC address"},
    {"tcp_flags", string, kOptional, kMutable, kBuiltIn, "\"S\"", "letters of FSRPAU"},
};

// clang-format on

}  // namespace

std::span<const Field> config_fields() {
    return kConfig;
}
std::span<const Field> node_fields() {
    return kNode;
}
std::span<const Field> idle_fields() {
    return kIdle;
}
std::span<const Field> role_fields() {
    return kRole;
}
std::span<const Field> segment_fields() {
    return kSegment;
}
std::span<const Field> port_fields() {
    return kPort;
}
std::span<const Field> limit_fields() {
    return kLimits;
}
std::span<const Field> attachment_fields() {
    return kAttachment;
}
std::span<const Field> fdb_fields() {
    return kFdb;
}
std::span<const Field> underlay_fields() {
    return kUnderlay;
}
std::span<const Field> neighbor_fields() {
    return kNeighbor;
}
std::span<const Field> tunnel_fields() {
    return kTunnel;
}
std::span<const Field> group_fields() {
    return kGroup;
}
std::span<const Field> policy_fields() {
    return kPolicy;
}
std::span<const Field> mirror_fields() {
    return kMirror;
}
std::span<const Field> flow_fields() {
    return kFlow;
}
std::span<const Field> policy_end_fields() {
    return kPolicyEnd;
}

}  // namespace bulkhead::api
