// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/policy_record.h"

#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

bool is_icmp(const Flow& flow) noexcept {
    return flow.protocol == (flow.family == FlowFamily::ipv6 ? kProtocolIcmpv6 : kProtocolIcmp);
}

}  // namespace

PolicyRecord policy_record(const Batch& batch, std::uint16_t row, const Flow& flow,
                           std::span<const std::uint8_t> headers, const CompiledRule& rule, DropReason reason,
                           std::uint64_t now_cycles) noexcept {
    PolicyRecord record{.cycles = now_cycles,
                        .source = flow.source,
                        .destination = flow.destination,
                        .source_mac = batch.source[row],
                        .destination_mac = batch.destination[row],
                        .length = batch.length[row],
                        .rule = rule.index,
                        .ingress = batch.ingress[row],
                        .ethertype = flow.ethertype,
                        .family = flow.family,
                        .protocol = flow.protocol,
                        .tcp_flags = flow.tcp_flags,
                        .action = rule.action,
                        .reason = reason};
    if (flow.family == FlowFamily::none) return record;
    if (is_icmp(flow)) {
        record.icmp_type = static_cast<std::uint8_t>(flow.service);
        const std::size_t code = flow.upper + offsetof(IcmpHeader, code);
        if (code < headers.size()) record.icmp_code = headers[code];
    } else {
        record.source_port = flow.source_port;
        record.destination_port = flow.destination_port;
    }
    return record;
}

}  // namespace bulkhead
