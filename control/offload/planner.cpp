// SPDX-License-Identifier: Apache-2.0
#include "control/offload/planner.h"

#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

FlowRule rule_of(const TunnelEntry& tunnel, const UnderlayEntry& underlay) {
    return {.type = tunnel.type,
            .destination_mac = underlay.mac,
            .vlan = underlay.vlan,
            .udp_port = tunnel.udp_port,
            .local = tunnel.local,
            .remote = tunnel.remote};
}

FlowRule drop_of_others(FlowRule rule) {
    rule.kind = FlowRule::Kind::unknown_vni;
    rule.remote = {};
    rule.vni = 0;
    rule.mark = kNoMark;
    return rule;
}

}  // namespace

OffloadPlan plan_offload(const Snapshot& snapshot) {
    OffloadPlan plan;
    for (const PortEntry& port : snapshot.ports) {
        if (port.io == nullptr || !port.underlay || port.underlay->wire != kNoPort) continue;
        if (FlowDevice* device = port.io->flows(); device != nullptr) plan.try_emplace(device);
    }
    for (AttachmentIndex index = 0; index < snapshot.attachments.size(); ++index) {
        const AttachmentEntry& attachment = snapshot.attachments[index];
        if (attachment.port == kNoPort || !snapshot.ports[attachment.port].tunnel) continue;
        const TunnelEntry& tunnel = *snapshot.ports[attachment.port].tunnel;
        const PortEntry& nic = snapshot.ports[tunnel.nic];
        const auto rules = plan.find(nic.io->flows());
        if (rules == plan.end()) continue;
        FlowRule rule = rule_of(tunnel, *nic.underlay);
        rule.vni = attachment.vni;
        rule.mark = snapshot.marks[index].mark;
        rules->second.insert(rule);
        if (!nic.underlay->has_keepalives && nic.underlay->host == kNoPort) rules->second.insert(drop_of_others(rule));
    }
    return plan;
}

}  // namespace bulkhead
