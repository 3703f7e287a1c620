// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/snapshot_builder.h"

#include "vswitch/model/snapshot_tunnels.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

std::unexpected<Error> out_of(const char* what, std::uint16_t limit) {
    return failure({.code = ErrorCode::limit,
                    .message = std::string("too many ") + what,
                    .allowed = "at most " + std::to_string(limit)});
}

/// The model's objects get their indices first, so that a failure leaves no half-built table.
Result<> assign_indices(const Model& model, Indices& indices) {
    for (const auto& [name, segment] : model.segments)
        if (!indices.segments.acquire(name)) return out_of("segments", kMaxSegments);
    for (const auto& [name, port] : model.ports)
        if (!indices.ports.acquire(name)) return out_of("ports", kMaxPorts);
    for (const auto& [name, tunnel] : model.tunnels)
        if (!indices.ports.acquire(port_name_of_tunnel(name))) return out_of("ports and tunnels", kMaxPorts);
    bool fit = true;
    for_each_attachment(model, [&](const AttachmentKey& key) { fit = fit && indices.attachments.acquire(key); });
    if (!fit) return out_of("attachments", kMaxAttachments);
    for (const auto& [key, policy] : model.policies)
        if (!indices.rules.acquire(key)) return out_of("rules", kMaxRules);
    for_each_mirror(model, [&](const auto& key) { fit = fit && indices.mirrors.acquire(key); });
    if (!fit) return out_of("mirrors", kMirrorRows);
    return {};
}

void add_segments(Snapshot& snapshot, const Model& model, const Indices& indices) {
    snapshot.segments.resize(indices.segments.bound());
    for (const auto& [name, segment] : model.segments) {
        SegmentEntry& entry = snapshot.segments[*indices.segments.find(name)];
        entry.exists = true;
        entry.mtu = segment.mtu;
        entry.vni = segment.vni;
        entry.flood = segment.flood;
        entry.mac_limit = segment.mac_limit;
        entry.mac_age_s = segment.mac_age_s;
    }
}

void attach(Snapshot& snapshot, PortIndex port, const Attachment& attachment, AttachmentIndex index,
            SegmentIndex segment) {
    const bool is_open = snapshot.ports[port].io != nullptr;
    snapshot.attachments[index] = {.port = port,
                                   .segment = segment,
                                   .vlan = attachment.vlan.value_or(0),
                                   .isolated = attachment.isolated,
                                   .carries_tags = attachment.tagged == TaggedFrames::carry,
                                   .keeps_tag = attachment.keep_tag,
                                   .is_reachable = is_open && !attachment.isolated,
                                   .is_secured = is_secured(attachment),
                                   .mtu = snapshot.segments[segment].mtu,
                                   .out_port = port,
                                   .vni = snapshot.segments[segment].vni};
    if (is_secured(attachment)) {
        snapshot.station_rules[index] = std::make_unique<StationRules>(attachment);
        snapshot.has_secured = true;
    }
    PortEntry& entry = snapshot.ports[port];
    if (!attachment.vlan) {
        entry.untagged = index;
    } else {
        if (!entry.by_vlan) {
            entry.by_vlan = std::make_unique<VlanTable>();
            entry.by_vlan->fill(kNoAttachment);
        }
        (*entry.by_vlan)[*attachment.vlan] = index;
    }
    if (is_open) snapshot.segments[segment].members.push_back(index);
}

}  // namespace

Result<std::unique_ptr<Snapshot>> build_snapshot(const Model& model, const std::map<std::string, PortIo*>& ports,
                                                 const QueuePlan& plan, std::uint16_t workers, Indices& indices,
                                                 PolicyCompiler& policies, PortLimiters& limiters,
                                                 MirrorCompiler& mirrors) {
    if (auto assigned = assign_indices(model, indices); !assigned) return std::unexpected(assigned.error());
    auto snapshot = std::make_unique<Snapshot>();
    add_segments(*snapshot, model, indices);
    snapshot->ports.resize(indices.ports.bound());
    snapshot->attachments.resize(indices.attachments.bound());
    snapshot->station_rules.resize(indices.attachments.bound());
    snapshot->receive_queues.resize(workers);
    for (const auto& [name, port] : model.ports) {
        const PortIndex index = *indices.ports.find(name);
        PortEntry& entry = snapshot->ports[index];
        if (const auto open = ports.find(name); open != ports.end()) {
            entry.io = open->second;
            for (std::uint16_t worker = 0; worker < workers; ++worker)
                entry.transmit_queue.push_back(static_cast<std::uint16_t>(worker % entry.io->transmit_queues()));
            const auto& queues = plan.at(name);
            for (std::uint16_t queue = 0; queue < queues.size(); ++queue)
                snapshot->receive_queues[queues[queue]].push_back({index, queue});
        }
        for (const Attachment& attachment : port.attachments)
            attach(*snapshot, index, attachment, *indices.attachments.find(key_of(name, attachment)),
                   *indices.segments.find(attachment.segment));
    }
    add_tunnels(*snapshot, model, indices);
    snapshot->ip_owners = IpOwners(model, indices);
    policies.add_policies(*snapshot, model, indices);
    limiters.add_limits(*snapshot, model, indices);
    mirrors.add_mirrors(*snapshot, model, indices);
    return snapshot;
}

}  // namespace bulkhead
