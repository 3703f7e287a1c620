// SPDX-License-Identifier: Apache-2.0
// What the switch tells: addresses, counters, neighbours, who polls what.
#include <algorithm>
#include <tuple>

#include "vswitch/switch_impl.h"

namespace bulkhead {

std::size_t Switch::Impl::count_macs(const std::string& segment) const {
    const auto index = indices_.segments.find(segment);
    return index ? macs_->learned_in(*index) + statics_.size(*index) : 0;
}

std::vector<DropRow> Switch::Impl::drops() const {
    std::vector<DropRow> rows;
    const auto add = [&rows](const std::string& port, const std::string& segment, const TrafficStats& stats) {
        if (std::ranges::all_of(stats.drops, [](std::uint64_t count) { return count == 0; })) return;
        const auto tunnel = tunnel_of_port_name(port);
        rows.push_back({tunnel ? std::string() : port, tunnel.value_or(std::string()), segment, stats.drops});
    };
    for (const auto& [name, index] : indices_.ports.in_use()) add(name, {}, ledger_.port_itself(index));
    for (const auto& [key, index] : indices_.attachments.in_use())
        add(key.port, key.segment, ledger_.attachment(index));
    std::ranges::sort(rows, [](const DropRow& a, const DropRow& b) {
        return std::tie(a.port, a.tunnel, a.segment) < std::tie(b.port, b.tunnel, b.segment);
    });
    return rows;
}

std::vector<MacEntry> Switch::macs(const MacFilter& filter, const MacRange& range) const {
    return impl_->names_.entries(filter, range, impl_->settings_.clock_s());
}
std::size_t Switch::mac_count() const {
    return impl_->macs_->size();
}
std::size_t Switch::mac_count(const std::string& segment) const {
    return impl_->count_macs(segment);
}
TrafficStats Switch::port_stats(const std::string& name) const {
    return impl_->ledger_.port(name, impl_->indices_);
}
TrafficStats Switch::segment_stats(const std::string& name) const {
    return impl_->ledger_.segment(name);
}

TrafficStats Switch::tunnel_stats(const std::string& name) const {
    return impl_->ledger_.port(port_name_of_tunnel(name), impl_->indices_);
}
RuleHits Switch::rule_hits(const std::string& segment, const std::string& name) const {
    const auto index = impl_->indices_.rules.find({segment, name});
    return index ? impl_->ledger_.rule(*index) : RuleHits();
}
MirrorStats Switch::mirror_stats(const std::string& segment, const std::string& name) const {
    const auto index = impl_->indices_.mirrors.find({segment, name});
    return index ? impl_->ledger_.mirror(*index) : MirrorStats();
}
std::size_t Switch::connection_count() const {
    return impl_->connections_->size();
}
TunnelState Switch::tunnel_state(const std::string& name) const {
    TunnelState state = impl_->underlays_.tunnel(name);
    state.cut = impl_->ring_watches_.cut_of(name);
    return state;
}
std::vector<NeighborInfo> Switch::neighbors(const std::string& underlay) const {
    return impl_->underlays_.neighbors(underlay, impl_->settings_.clock_ms());
}

WorkerStats Switch::worker_stats(std::uint16_t worker) const {
    const WorkerCounters& counters = impl_->workers_[worker]->counters();
    const Books& books = counters.books;
    WorkerStats stats{.received = books.received.read(),
                      .originated = books.originated.read(),
                      .copies = books.copies.read(),
                      .transmitted = books.transmitted.read(),
                      .consumed = books.consumed.read(),
                      .held = books.held.read(),
                      .drops = {},
                      .busy_cycles = counters.busy_cycles.read(),
                      .idle_cycles = counters.idle_cycles.read(),
                      .sleeps = counters.sleeps.read(),
                      .bursts = counters.bursts.read(),
                      .marked = counters.marked.read(),
                      .stale_marks = counters.stale_marks.read()};
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) stats.drops[reason] = books.drops[reason].read();
    return stats;
}

std::uint16_t Switch::workers() const {
    return impl_->settings_.workers;
}
std::vector<DropRow> Switch::drops() const {
    return impl_->drops();
}

std::vector<QueueAssignment> Switch::queue_plan(const std::string& port) const {
    std::vector<QueueAssignment> assignments;
    const auto planned = impl_->plan_.find(port);
    if (planned == impl_->plan_.end()) return assignments;
    for (std::uint16_t queue = 0; queue < planned->second.size(); ++queue)
        assignments.push_back({queue, planned->second[queue]});
    return assignments;
}

}  // namespace bulkhead
