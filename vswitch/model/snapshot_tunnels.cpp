// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/snapshot_tunnels.h"

#include <algorithm>
#include <memory>

#include "vswitch/model/guarded_segments.h"
#include "vswitch/model/host_tap.h"
#include "vswitch/model/next_hop.h"
#include "vswitch/overlay/device_mac.h"

namespace bulkhead {
namespace {

std::unique_ptr<UnderlayEntry> underlay_entry(const Underlay& underlay, MacAddress mac, const Model& model,
                                              const Indices& indices) {
    auto entry = std::make_unique<UnderlayEntry>();
    entry->mac = mac.value();
    entry->vlan = underlay.vlan.value_or(0);
    for (const IpPrefix& prefix : underlay.addresses) entry->addresses.push_back(prefix.address);
    for (const auto& [name, segment] : model.segments) entry->tunnels.add_vni(segment.vni);
    for (const auto& [name, tunnel] : model.tunnels) {
        if (tunnel.underlay != underlay.name) continue;
        const std::pair udp_port(tunnel.dst_port, tunnel.type);
        if (std::ranges::find(entry->udp_ports, udp_port) == entry->udp_ports.end())
            entry->udp_ports.push_back(udp_port);
        const std::string port = port_name_of_tunnel(name);
        const TunnelIndex::Remote remote{.type = tunnel.type,
                                         .udp_port = tunnel.dst_port,
                                         .wants_checksum = !tunnel.remote.is_v4() && tunnel.udp_checksum,
                                         .has_keepalive = tunnel.keepalive_ms != 0};
        entry->tunnels.add_remote(tunnel.remote, remote);
        entry->has_keepalives |= remote.has_keepalive;
        for (const std::string& segment : tunnel.segments)
            entry->tunnels.add_segment(tunnel.remote, remote, model.segments.at(segment).vni,
                                       *indices.attachments.find({port, segment, 0}));
    }
    return entry;
}

/// The host TAP's end of its wire to the NIC. Returns the TAP, if it is open.
PortIndex add_host_wire(Snapshot& snapshot, const Underlay& underlay, PortIndex nic, const Indices& indices) {
    const auto host = indices.ports.find(host_port_name(underlay.host_tap));
    if (!host || snapshot.ports[*host].io == nullptr) return kNoPort;
    auto entry = std::make_unique<UnderlayEntry>();
    entry->wire = nic;
    snapshot.ports[*host].underlay = std::move(entry);
    return *host;
}

std::unique_ptr<TunnelEntry> tunnel_entry(const Tunnel& tunnel, const Underlay& underlay, MacAddress mac, PortIndex nic,
                                          PortIndex own) {
    auto entry = std::make_unique<TunnelEntry>();
    entry->header = OuterHeader::build(tunnel, {.source = mac,
                                                .vlan = underlay.vlan,
                                                .local = local_address(underlay, tunnel.remote),
                                                .remote = tunnel.remote});
    entry->nic = nic;
    entry->next_hop = own;
    entry->longest_frame = static_cast<std::uint32_t>(underlay.mtu - tunnel_overhead(tunnel) + kEthernetHeader);
    entry->traffic_class = static_cast<std::uint8_t>(tunnel.dscp.value_or(0) << 2);
    entry->copies_dscp = !tunnel.dscp;
    entry->has_udp_checksum = tunnel.udp_checksum;
    entry->group_field = group_field_of(tunnel);
    entry->type = tunnel.type;
    entry->udp_port = tunnel.dst_port;
    entry->local = local_address(underlay, tunnel.remote);
    entry->remote = tunnel.remote;
    return entry;
}

void attach(Snapshot& snapshot, const Tunnel& tunnel, PortIndex port, PortIndex nic, SegmentIndex segment,
            AttachmentIndex index) {
    const bool is_open = snapshot.ports[port].io != nullptr;
    // What tags a segment's frames have is the business of those at its ends.
    snapshot.attachments[index] = {.port = port,
                                   .segment = segment,
                                   .carries_tags = true,
                                   .is_reachable = is_open,
                                   .is_mesh = tunnel.horizon == Horizon::mesh,
                                   .trusts_groups = tunnel.trust_groups,
                                   .mtu = snapshot.segments[segment].mtu,
                                   .out_port = nic,
                                   .vni = snapshot.segments[segment].vni};
    if (is_open) snapshot.segments[segment].members.push_back(index);
}

/// What a NIC that matched the frames of a tunnel in a segment lets us leave unread. Over IPv6 nearly every frame has a
/// UDP checksum, and with Geneve's options all is read: then there is no mark.
MarkEntry mark_entry(const Tunnel& tunnel, const Underlay& underlay, std::uint32_t vni, FlowMark mark) {
    const GroupField group = group_field_of(tunnel);
    if (!tunnel.remote.is_v4() || group == GroupField::geneve) return {};
    constexpr std::uint64_t kVni = 0xffff'ff00;
    MarkEntry entry{.mark = mark, .group_field = group};
    entry.ip = underlay.vlan ? kEthernetHeader + kVlanTag : kEthernetHeader;
    if (tunnel.type == TunnelType::vxlan) {
        entry.shim = static_cast<std::uint64_t>(kVxlanFlags) << 56 | vni << 8;
        entry.shim_mask = entry.shim | kVni;
    } else {
        // No options, no control packet, Ethernet inside.
        entry.shim = static_cast<std::uint64_t>(kTransEthernet) << 32 | vni << 8;
        entry.shim_mask = 0xffffULL << 48 | 0xffffULL << 32 | kVni;
    }
    entry.shim = __builtin_bswap64(entry.shim);
    entry.shim_mask = __builtin_bswap64(entry.shim_mask);
    return entry;
}

/// Who is of which group, for tunnels that tell it.
void add_group_ids(Snapshot& snapshot, const Model& model, const Indices& indices) {
    for (const auto& [name, tunnel] : model.tunnels) snapshot.exchanges_groups |= tunnel.trust_groups;
    if (!snapshot.exchanges_groups) return;
    snapshot.group_ids.assign(snapshot.attachments.size(), kNoGroupId);
    for (const auto& [name, port] : model.ports)
        for (const Attachment& attachment : port.attachments)
            if (!attachment.group.empty())
                snapshot.group_ids[*indices.attachments.find(key_of(name, attachment))] =
                    model.groups.at({attachment.segment, attachment.group}).id;
}

/// Says which segments could be part of a ring that this node does not see, and which of their attachments lead on.
void mark_guarded(Snapshot& snapshot, const Model& model, const Indices& indices) {
    for (const std::string& name : guarded_segments(model)) {
        snapshot.segments[*indices.segments.find(name)].is_guarded = true;
        snapshot.has_guarded = true;
    }
    if (!snapshot.has_guarded) return;
    const auto mark = [&](const AttachmentKey& key, bool is_tunnel) {
        AttachmentEntry& entry = snapshot.attachments[*indices.attachments.find(key)];
        if (!snapshot.segments[entry.segment].is_guarded) return;
        entry.leads_on = true;
        entry.is_guarded_link = is_tunnel;
    };
    for (const auto& [name, port] : model.ports) {
        if (!std::holds_alternative<EthdevDevice>(port.device)) continue;
        for (const Attachment& attachment : port.attachments) mark(key_of(name, attachment), false);
    }
    for (const auto& [name, tunnel] : model.tunnels)
        for (const std::string& segment : tunnel.segments) mark({port_name_of_tunnel(name), segment, 0}, true);
}

}  // namespace

void add_tunnels(Snapshot& snapshot, const Model& model, const Indices& indices) {
    snapshot.marks.resize(snapshot.attachments.size());
    for (const auto& [name, underlay] : model.underlays) {
        const PortIndex nic = *indices.ports.find(underlay.port);
        PortEntry& nic_entry = snapshot.ports[nic];
        const PortIndex host = add_host_wire(snapshot, underlay, nic, indices);
        if (nic_entry.io == nullptr) continue;
        auto entry = underlay_entry(underlay, device_mac(*nic_entry.io), model, indices);
        entry->host = host;
        nic_entry.underlay = std::move(entry);
    }
    for (const auto& [name, tunnel] : model.tunnels) {
        const Underlay& underlay = model.underlays.at(tunnel.underlay);
        const PortIndex nic = *indices.ports.find(underlay.port);
        const PortIndex own = *indices.ports.find(port_name_of_tunnel(name));
        PortEntry& entry = snapshot.ports[own];
        if (PortIo* io = snapshot.ports[nic].io; io != nullptr) {
            entry.io = io;
            entry.transmit_queue = snapshot.ports[nic].transmit_queue;
            entry.tunnel = tunnel_entry(tunnel, underlay, device_mac(*io), nic, own);
        }
        for (const std::string& segment : tunnel.segments) {
            const AttachmentIndex index = *indices.attachments.find({port_name_of_tunnel(name), segment, 0});
            attach(snapshot, tunnel, own, nic, *indices.segments.find(segment), index);
            snapshot.marks[index] = mark_entry(tunnel, underlay, snapshot.attachments[index].vni,
                                               flow_mark(indices.attachments.generation(index), index));
        }
    }
    mark_guarded(snapshot, model, indices);
    add_group_ids(snapshot, model, indices);
}

}  // namespace bulkhead
