// SPDX-License-Identifier: Apache-2.0
// Every way a frame can end without being delivered, by name. The names are public (stats.get, drop.list).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bulkhead {

// name, what it means for the person who reads it
#define BULKHEAD_DROP_REASONS(X)                                                                         \
    X(truncated, "shorter than the Ethernet and VLAN headers it claims")                                 \
    X(source_invalid, "source MAC is multicast or zero")                                                 \
    X(reserved_multicast, "01:80:C2:00:00:00-0F (STP, LACP, LLDP, pause) stays on its link")             \
    X(no_attachment, "untagged frame on a port with no untagged attachment")                             \
    X(unknown_vlan, "VLAN tag that the port carries for no segment")                                     \
    X(tagged_frame, "VLAN tag where only untagged frames are allowed (\"tagged\": \"carry\" allows it)") \
    X(mtu_exceeded, "larger than the MTU of its segment")                                                \
    X(rx_rate, "its port sends more than its limit rx_mbps")                                             \
    X(spoofed_mac, "source MAC is none of the attachment's macs")                                        \
    X(spoofed_ip, "source IP address is none of the attachment's ips")                                   \
    X(spoofed_arp, "ARP that says its sender has a MAC or an IP address that is not the attachment's")   \
    X(spoofed_nd, "Neighbor Discovery that claims a MAC or an IP address that is not the attachment's")  \
    X(rogue_router, "Router Advertisement or Redirect from an attachment with guard ra")                 \
    X(rogue_dhcp_server, "to a DHCP client, from an attachment with guard dhcp")                         \
    X(unreadable_headers, "headers that are cut off or hide what follows, where they must be checked")   \
    X(source_mac_owned, "source MAC is bound to another port of the segment")                            \
    X(mac_move_limit, "more source MACs move to its port than its limit mac_moves_per_s")                \
    X(unknown_unicast, "destination MAC unknown and the segment floods only what it knows")              \
    X(flood_disabled, "broadcast or multicast in a segment with \"flood\": \"none\"")                    \
    X(same_port, "destination is where the frame came from")                                             \
    X(isolated, "both ends are isolated attachments")                                                    \
    X(storm, "its port sends more frames for many than its limit storm_pps")                             \
    X(policy_denied, "a rule of its segment denies it")                                                  \
    X(policy_default, "no rule of its segment allows it, and \"default_policy\" is \"deny\"")            \
    X(fragment_unjudged, "a fragment that can't be judged: its first one was not seen, or is torn")      \
    X(connection_limit, "its port has opened as many connections as it may, or the table is full")       \
    X(no_destination, "nobody else is attached to the segment")                                          \
    X(bad_outer, "on an underlay: malformed outer header, or a checksum that is wrong")                  \
    X(not_for_us, "on an underlay: neither of a tunnel nor for an address of this node")                 \
    X(unknown_remote, "tunnelled by a node that no tunnel is configured to")                             \
    X(unknown_vni, "tunnelled with a VNI that no segment has")                                           \
    X(vni_not_attached, "tunnelled with the VNI of a segment that the tunnel does not carry")            \
    X(ecn_not_capable, "congestion mark on a packet that can't carry it (RFC 6040)")                     \
    X(split_horizon, "from one mesh tunnel to another")                                                  \
    X(duplicate_flood, "a copy of a flooded frame that came in by another way: it went round a ring")    \
    X(spoke_cut, "to or from a tunnel that is cut for the segment, because it closes a ring")            \
    X(ring_probe, "ring probe: for this node, or from where none may come")                              \
    X(path_mtu_exceeded, "with its outer header larger than the MTU of the underlay")                    \
    X(no_neighbor, "the tunnel's next hop has not answered")                                             \
    X(control_busy, "for this node itself, which had too much to answer")                                \
    X(port_gone, "the port was removed, or its device failed")                                           \
    X(no_buffer, "no free packet buffer for a copy, a segment or a header")                              \
    X(bad_offload, "checksum or segmentation request that does not fit the frame")                       \
    X(tx_rate, "more goes to the port than its limit tx_mbps")                                           \
    X(tx_queue_full, "the device's transmit queue is full")                                              \
    X(guest_queue_full, "the guest gave no receive buffers in time")                                     \
    X(guest_not_ready, "no guest is connected, or its driver has not started")                           \
    X(guest_disabled, "the guest disabled the queue")                                                    \
    X(link_down, "the far side of the port is down")                                                     \
    X(tx_error, "the device refused the frame")

/// `none` means: not dropped. It is 0 so that a cleared batch forwards.
enum class DropReason : std::uint8_t {
    none,
#define X(name, help) name,
    BULKHEAD_DROP_REASONS(X)
#undef X
        count
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::count);

[[nodiscard]] std::string_view to_string(DropReason reason);
[[nodiscard]] std::string_view describe(DropReason reason);
[[nodiscard]] std::optional<DropReason> drop_reason_from(std::string_view name);

}  // namespace bulkhead
