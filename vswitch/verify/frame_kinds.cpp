// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/frame_kinds.h"

#include <algorithm>
#include <array>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/tcp.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead {
namespace {

bool is_discovery(const FlowFields& fields) {
    return fields.ethertype == kEtherTypeIpv6 && fields.protocol == kProtocolIcmpv6 &&
           fields.icmp_type >= kIcmpv6RouterSolicitation && fields.icmp_type <= kIcmpv6Redirect;
}

class KindTable {
  public:
    explicit KindTable(const std::vector<std::uint16_t>& named) {
        constexpr std::uint8_t kUsual[] = {kProtocolTcp, kProtocolUdp, kProtocolSctp, kProtocolIcmp, kProtocolIcmpv6};
        for (const std::uint8_t protocol : kUsual) add_protocol(protocol);
        for (unsigned protocol = 0; protocol < 256; ++protocol)
            if (std::ranges::find(kUsual, protocol) == std::end(kUsual))
                add_protocol(static_cast<std::uint8_t>(protocol));
        add({.ethertype = kEtherTypeArp});
        for (const std::uint16_t ethertype : named)
            if (ethertype != kEtherTypeIpv4 && ethertype != kEtherTypeIpv6 && ethertype != kEtherTypeArp)
                add({.ethertype = ethertype});
        add({.ethertype = other_ethertype(named)});
    }

    std::vector<FrameKind> kinds;

  private:
    void add_protocol(std::uint8_t protocol) {
        for (const std::uint16_t family : {kEtherTypeIpv4, kEtherTypeIpv6}) {
            const std::uint8_t icmp = family == kEtherTypeIpv4 ? kProtocolIcmp : kProtocolIcmpv6;
            FlowFields fields{.ethertype = family, .protocol = protocol};
            if (protocol == kProtocolTcp) {
                for (const std::uint8_t flags : {kTcpSyn, kTcpAck}) {
                    fields.tcp_flags = flags;
                    add(fields);
                }
            } else if (protocol == icmp) {
                for (unsigned type = 0; type < 256; ++type) {
                    fields.icmp_type = static_cast<std::uint8_t>(type);
                    add(fields);
                }
            } else {
                add(fields);
            }
        }
    }
    /// IPv6 extension headers are no protocol that a packet could be of.
    void add(const FlowFields& fields) {
        FrameKind kind{.fields = fields, .flow = {}};
        kind.flow = flow_of(kind, fields);
        const bool is_ip = kind.flow.family != FlowFamily::none;
        if (is_ip && (kind.flow.protocol != fields.protocol || kind.flow.is_first_fragment ||
                      kind.flow.role == FlowRole::unreadable))
            return;
        if (!is_ip && kind.flow.role == FlowRole::unreadable) return;
        kinds.push_back(kind);
        if (!is_discovery(fields)) return;
        kind.is_plain_discovery = true;
        kind.flow = flow_of(kind, fields);
        kinds.push_back(kind);
    }
};

}  // namespace

bool FrameKind::has_ports() const {
    return flow.family != FlowFamily::none &&
           (flow.protocol == kProtocolTcp || flow.protocol == kProtocolUdp || flow.protocol == kProtocolSctp);
}

bool FrameKind::has_icmp_type() const {
    return (flow.family == FlowFamily::ipv4 && flow.protocol == kProtocolIcmp) ||
           (flow.family == FlowFamily::ipv6 && flow.protocol == kProtocolIcmpv6);
}

std::vector<FrameKind> frame_kinds(const std::vector<std::uint16_t>& ethertypes) {
    return KindTable(ethertypes).kinds;
}

Flow flow_of(const FrameKind& kind, const FlowFields& fields) {
    const std::vector<std::uint8_t> frame = frame_of(fields);
    Flow flow;
    dissect(frame, static_cast<std::uint32_t>(frame.size()), flow);
    if (kind.is_plain_discovery) flow.role = FlowRole::untracked;
    return flow;
}

std::uint16_t other_ethertype(const std::vector<std::uint16_t>& ethertypes) {
    std::uint16_t other = 0x9000;  // the lowest that nothing here knows
    while (std::ranges::find(ethertypes, other) != ethertypes.end()) ++other;
    return other;
}

}  // namespace bulkhead
