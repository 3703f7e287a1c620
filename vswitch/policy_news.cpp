// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy_news.h"

#include <utility>

#include <rte_cycles.h>

#include "vswitch/explain/names.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/policy/flow_address.h"

namespace bulkhead {
namespace {

using std::chrono::system_clock;

/// Workers stamp records with the TSC only.
system_clock::time_point wall_clock_of(std::uint64_t cycles) {
    const std::uint64_t now = rte_rdtsc();
    const auto ago = static_cast<double>(now > cycles ? now - cycles : 0) / static_cast<double>(rte_get_tsc_hz());
    return system_clock::now() - std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(ago));
}

bool has_ports(std::uint8_t protocol) {
    return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

LoggedFrame frame_of(const PolicyRecord& record, const Names& names) {
    LoggedFrame frame{.rule = names.rule(record.rule),
                      .action = record.action,
                      .reason = record.reason,
                      .length = record.length,
                      .source_mac = MacAddress(record.source_mac),
                      .destination_mac = MacAddress(record.destination_mac),
                      .ethertype = record.ethertype};
    if (record.family == FlowFamily::none) return frame;
    frame.source = ip_address(record.family, record.source);
    frame.destination = ip_address(record.family, record.destination);
    frame.protocol = record.protocol;
    if (has_ports(record.protocol)) {
        frame.source_port = record.source_port;
        frame.destination_port = record.destination_port;
    }
    if (record.protocol == kProtocolTcp) frame.tcp_flags = record.tcp_flags;
    if (record.protocol == (record.family == FlowFamily::ipv6 ? kProtocolIcmpv6 : kProtocolIcmp)) {
        frame.icmp_type = record.icmp_type;
        frame.icmp_code = record.icmp_code;
    }
    return frame;
}

}  // namespace

void PolicyNews::collect(const Indices& indices) {
    std::optional<Names> names;
    for (const auto& worker : workers_) {
        // No more than were there: a worker may be as fast as we are.
        PolicyRecord record;
        for (unsigned left = PolicyLog::kWaiting; left > 0 && worker->policy_log().pop(record); --left) {
            if (!names) names.emplace(indices);
            entries_.push_back({.time = wall_clock_of(record.cycles),
                                .place = names->place(record.ingress),
                                .segment = names->segment(record.ingress),
                                .frame = frame_of(record, *names),
                                .suppressed = take_untold(record.ingress)});
            recent_.insert(record.ingress);
        }
    }
}

std::uint64_t PolicyNews::take_untold(AttachmentIndex index) {
    std::uint64_t untold = 0;
    for (const auto& worker : workers_) untold += worker->policy_log().untold(index);
    if (untold == 0) return 0;
    const std::uint64_t more = untold - std::exchange(told_[index], untold);
    told_of_all_ += more;
    return more;
}

void PolicyNews::add_suppressed(AttachmentIndex index, const Indices& indices) {
    const std::uint64_t untold = take_untold(index);
    if (untold == 0) return;
    const Names names(indices);
    entries_.push_back({.time = system_clock::now(),
                        .place = names.place(index),
                        .segment = names.segment(index),
                        .suppressed = untold});
}

void PolicyNews::close(AttachmentIndex index, const Indices& indices) {
    add_suppressed(index, indices);
    recent_.erase(index);
}

std::vector<PolicyLogEntry> PolicyNews::take(const Indices& indices, std::uint32_t now_s) {
    collect(indices);
    if (std::exchange(second_, now_s) != now_s) {
        std::uint64_t untold = 0;
        for (const auto& worker : workers_) untold += worker->policy_log().untold();
        if (untold != told_of_all_) {
            for (const auto& [key, index] : indices.attachments.in_use())
                if (!recent_.contains(index)) add_suppressed(index, indices);
        }
        recent_.clear();
    }
    return std::exchange(entries_, {});
}

}  // namespace bulkhead
