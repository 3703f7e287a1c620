// SPDX-License-Identifier: Apache-2.0
#include "vswitch/traffic_ledger.h"

namespace bulkhead {
namespace {

void add(TrafficStats& sum, const TrafficCounters& row) {
    sum.rx_packets += row.rx_packets.read();
    sum.rx_bytes += row.rx_bytes.read();
    sum.tx_packets += row.tx_packets.read();
    sum.tx_bytes += row.tx_bytes.read();
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) sum.drops[reason] += row.drops[reason].read();
}

void add_drops(TrafficStats& sum, const TrafficStats& part) {
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) sum.drops[reason] += part.drops[reason];
}

void add(TrafficStats& sum, const TrafficStats& part) {
    sum.rx_packets += part.rx_packets;
    sum.rx_bytes += part.rx_bytes;
    sum.tx_packets += part.tx_packets;
    sum.tx_bytes += part.tx_bytes;
    add_drops(sum, part);
}

TrafficStats since(TrafficStats now, const TrafficStats& base) {
    now.rx_packets -= base.rx_packets;
    now.rx_bytes -= base.rx_bytes;
    now.tx_packets -= base.tx_packets;
    now.tx_bytes -= base.tx_bytes;
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) now.drops[reason] -= base.drops[reason];
    return now;
}

template <typename Map, typename Key>
TrafficStats known(const Map& map, const Key& key) {
    const auto entry = map.find(key);
    return entry == map.end() ? TrafficStats{} : entry->second;
}

}  // namespace

TrafficStats TrafficLedger::port_row(PortIndex index) const {
    TrafficStats sum;
    for (const auto& worker : workers_) add(sum, worker->counters().ports[index]);
    return sum;
}

TrafficStats TrafficLedger::attachment_row(AttachmentIndex index) const {
    TrafficStats sum;
    for (const auto& worker : workers_) add(sum, worker->counters().attachments[index]);
    return sum;
}

TrafficStats TrafficLedger::port_itself(PortIndex index) const {
    return since(port_row(index), known(port_base_, index));
}

TrafficStats TrafficLedger::attachment(AttachmentIndex index) const {
    return since(attachment_row(index), known(attachment_base_, index));
}

void TrafficLedger::open_attachment(const AttachmentKey& key, AttachmentIndex index) {
    attachment_base_[index] = attachment_row(index);
    attachments_of_[key.segment].insert(index);
}

void TrafficLedger::close_attachment(const AttachmentKey& key, AttachmentIndex index) {
    const TrafficStats counted = attachment(index);
    add_drops(port_closed_[key.port], counted);
    add(segment_closed_[key.segment], counted);
    const auto attachments = attachments_of_.find(key.segment);
    attachments->second.erase(index);
    if (attachments->second.empty()) attachments_of_.erase(attachments);
}

TrafficStats TrafficLedger::port(const std::string& name, const Indices& indices) const {
    TrafficStats sum = known(port_closed_, name);
    if (const auto index = indices.ports.find(name)) add(sum, port_itself(*index));
    const auto& attachments = indices.attachments.in_use();
    for (auto at = attachments.lower_bound({name, {}, 0}); at != attachments.end() && at->first.port == name; ++at)
        add_drops(sum, attachment(at->second));
    return sum;
}

RuleHits TrafficLedger::rule_row(RuleIndex index) const {
    RuleHits sum;
    for (const auto& worker : workers_) {
        const RuleCounters& row = worker->counters().rules[index];
        sum.packets += row.packets.read();
        sum.bytes += row.bytes.read();
    }
    return sum;
}

RuleHits TrafficLedger::rule(RuleIndex index) const {
    const RuleHits now = rule_row(index), base = rule_base_.at(index);
    return {now.packets - base.packets, now.bytes - base.bytes};
}

MirrorStats TrafficLedger::mirror_row(MirrorIndex index) const {
    MirrorStats sum;
    for (const auto& worker : workers_) {
        const MirrorCounters& row = worker->counters().mirrors[index];
        sum.packets += row.packets.read();
        sum.bytes += row.bytes.read();
        for (std::size_t loss = 0; loss < kCopyLosses; ++loss) sum.lost[loss] += row.lost[loss].read();
    }
    return sum;
}

MirrorStats TrafficLedger::mirror(MirrorIndex index) const {
    MirrorStats now = mirror_row(index);
    const MirrorStats& base = mirror_base_.at(index);
    now.packets -= base.packets;
    now.bytes -= base.bytes;
    for (std::size_t loss = 0; loss < kCopyLosses; ++loss) now.lost[loss] -= base.lost[loss];
    return now;
}

TrafficStats TrafficLedger::segment(const std::string& name) const {
    TrafficStats sum = known(segment_closed_, name);
    if (const auto attachments = attachments_of_.find(name); attachments != attachments_of_.end())
        for (const AttachmentIndex index : attachments->second) add(sum, attachment(index));
    return sum;
}

}  // namespace bulkhead
