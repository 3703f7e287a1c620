// SPDX-License-Identifier: Apache-2.0
// Makes the switch, and puts models in force.
#include "vswitch/switch.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <utility>

#include "vswitch/model/snapshot_builder.h"
#include "vswitch/offload/snapshot_watcher.h"
#include "vswitch/port_io.h"
#include "vswitch/switch_impl.h"

namespace bulkhead {
namespace {

std::uint64_t monotonic_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

std::uint64_t random_number() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

std::unexpected<Error> no_memory_for(const char* what, std::size_t bytes) {
    return failure({.code = ErrorCode::limit,
                    .message = std::string("not enough hugepage memory for ") + what,
                    .field = "/node/memory_mib",
                    .allowed = std::to_string(bytes / (1U << 20)) + " MiB in one piece"});
}

}  // namespace

Switch::Impl::Impl(SwitchSettings settings, std::unique_ptr<MacTable> macs,
                   std::unique_ptr<ConnectionTable> connections)
    : settings_(std::move(settings)),
      macs_(std::move(macs)),
      connections_(std::move(connections)),
      fragments_({random_number(), random_number()}),
      statics_(*macs_),
      names_(*macs_),
      snapshots_(settings_.workers),
      exchange_(settings_.buffers),
      underlays_(next_hops_, exchange_, [this] { wake_workers(); }),
      ring_guard_(exchange_, random_number()),
      ring_watches_(ring_guard_, random_number(), [this] { wake_workers(); }),
      ledger_(workers_),
      policy_news_(workers_) {
    const Pipeline::Shared shared{*macs_,        next_hops_, exchange_,         ring_guard_,
                                  *connections_, fragments_, settings_.buffers, settings_.copies};
    for (std::uint16_t number = 0; number < settings_.workers; ++number)
        workers_.push_back(std::make_unique<Worker>(number, snapshots_, shared, settings_));
    macs_->set_now(settings_.clock_s());
    macs_->set_wait_for_readers([this] { snapshots_.wait_for_readers(); });
    connections_->set_wait_for_readers([this] { snapshots_.wait_for_readers(); });
}

bool Switch::Impl::moves_queue(const QueuePlan& next) const {
    return std::ranges::any_of(next, [&](const auto& entry) {
        const auto before = plan_.find(entry.first);
        if (before == plan_.end()) return false;
        const std::size_t common = std::min(before->second.size(), entry.second.size());
        return !std::equal(entry.second.begin(), entry.second.begin() + static_cast<std::ptrdiff_t>(common),
                           before->second.begin());
    });
}

void Switch::Impl::publish(std::unique_ptr<Snapshot> snapshot) {
    snapshots_.publish(std::move(snapshot), [this] { wake_workers(); });
}

Result<> Switch::Impl::apply(const Model& model, const std::map<std::string, PortIo*>& ports) {
    std::vector<QueueDemand> demands;
    for (const auto& [name, port] : model.ports)
        if (const auto open = ports.find(name); open != ports.end())
            demands.push_back({name, open->second->receive_queues(), port.workers});
    QueuePlan plan = plan_queues(demands, settings_.workers, plan_);

    const Indices before = indices_;
    auto snapshot = build_snapshot(model, ports, plan, settings_.workers, indices_, policies_, limiters_, mirrors_);
    Result<> placed = snapshot ? announce(**snapshot) : Result<>(std::unexpected(snapshot.error()));
    if (placed) placed = statics_.replace(StaticMacs::wanted(model, indices_));
    if (!placed) {
        indices_ = before;
        if (watcher_ != nullptr && snapshots_.read() != nullptr) watcher_->after_publish(*snapshots_.read());
        return placed;
    }
    open_books(before);
    names_.learn(indices_);
    underlays_.adopt(model, indices_, ports, settings_.clock_ms());
    ring_watches_.adopt(model, indices_);
    (*snapshot)->cuts = &ring_guard_.cuts();

    if (moves_queue(plan)) {
        // Two workers must never poll one queue: first nobody polls those of this model, then their new workers do.
        auto pause =
            build_snapshot(model, ports, plan, settings_.workers, indices_, policies_, limiters_, mirrors_).value();
        for (auto& queues : pause->receive_queues) queues.clear();
        pause->cuts = &ring_guard_.cuts();
        publish(std::move(pause));
    }
    publish(std::move(*snapshot));
    underlays_.start(settings_.clock_ms());
    plan_ = std::move(plan);
    collect_events();
    policy_news_.collect(indices_);
    forget_stolen();
    retire(model);
    if (watcher_ != nullptr) watcher_->after_publish(*snapshots_.read());
    return {};
}

Result<> Switch::Impl::announce(const Snapshot& next) {
    return watcher_ == nullptr ? Result<>() : watcher_->before_publish(next);
}

/// What was learned where sources were not checked yet may be others' addresses.
void Switch::Impl::forget_stolen() {
    const Snapshot& snapshot = *snapshots_.read();
    std::vector<bool> bound(snapshot.attachments.size());
    bool is_new = false;
    for (AttachmentIndex index = 0; index < bound.size(); ++index) {
        bound[index] = snapshot.binds_sources(index);
        is_new |= bound[index] && !(index < bound_.size() && bound_[index]);
    }
    bound_ = std::move(bound);
    if (!is_new) return;
    macs_->erase_if([this](MacKey, MacValue value) { return !value.is_static() && bound_[value.attachment()]; });
}

/// Those that a port opened count for it, and those of a segment are known by it; their indices may soon be others'.
void Switch::Impl::forget_connections(const std::set<PortIndex>& ports, const std::set<SegmentIndex>& segments) {
    if (connections_->size() == 0 || (ports.empty() && segments.empty())) return;
    const auto goes = [&](const Connection& connection) {
        return segments.contains(segment_of(connection)) ||
               ports.contains(ConnectionOrigin::of(connection.origin.load(std::memory_order_relaxed)).port);
    };
    connections_->erase_if(goes, 0, 1);
}

void Switch::Impl::open_books(const Indices& before) {
    for (const auto& [name, index] : indices_.ports.in_use())
        if (!before.ports.find(name)) ledger_.open_port(index);
    for (const auto& [key, index] : indices_.attachments.in_use())
        if (!before.attachments.find(key)) ledger_.open_attachment(key, index);
    for (const auto& [key, index] : indices_.rules.in_use())
        if (!before.rules.find(key)) ledger_.open_rule(index);
    for (const auto& [key, index] : indices_.mirrors.in_use())
        if (!before.mirrors.find(key)) ledger_.open_mirror(index);
}

void Switch::Impl::retire(const Model& model) {
    std::set<AttachmentKey> wanted;
    for_each_attachment(model, [&wanted](const AttachmentKey& key) { wanted.insert(key); });
    std::vector<bool> gone(indices_.attachments.bound(), false);
    bool entries = false;
    for (const auto& [key, index] : std::map(indices_.attachments.in_use())) {
        if (wanted.contains(key)) continue;
        ledger_.close_attachment(key, index);
        policy_news_.close(index, indices_);
        gone[index] = true;
        entries |= macs_->entries_of(index) > 0;
        indices_.attachments.retire(key);
    }
    if (entries) macs_->erase_if([&](MacKey, MacValue value) { return gone[value.attachment()]; });
    std::set<PortIndex> gone_ports;
    for (const auto& [name, index] : std::map(indices_.ports.in_use())) {
        const auto tunnel = tunnel_of_port_name(name);
        if (tunnel ? model.tunnels.contains(*tunnel) : model.ports.contains(name)) continue;
        ledger_.forget_port(name);
        indices_.ports.retire(name);
        gone_ports.insert(index);
    }
    std::set<SegmentIndex> gone_segments;
    for (const auto& [name, index] : std::map(indices_.segments.in_use())) {
        if (model.segments.contains(name)) continue;
        ledger_.forget_segment(name);
        indices_.segments.retire(name);
        gone_segments.insert(index);
    }
    forget_connections(gone_ports, gone_segments);
    for (const auto& [key, index] : std::map(indices_.rules.in_use()))
        if (!model.policies.contains(key)) indices_.rules.retire(key);
    std::set<std::pair<std::string, std::string>> mirrors;
    for_each_mirror(model, [&mirrors](const auto& key) { mirrors.insert(key); });
    for (const auto& [key, index] : std::map(indices_.mirrors.in_use()))
        if (!mirrors.contains(key)) indices_.mirrors.retire(key);
    indices_.mirrors.release_retired();
    indices_.rules.release_retired();
    indices_.attachments.release_retired();
    indices_.ports.release_retired();
    indices_.segments.release_retired();
}

Result<std::unique_ptr<Switch>> Switch::create(const SwitchSettings& settings) {
    SwitchSettings complete = settings;
    if (!complete.clock_s) complete.clock_s = [] { return static_cast<std::uint32_t>(monotonic_ms() / 1000); };
    if (!complete.clock_ms) complete.clock_ms = monotonic_ms;
    auto macs = MacTable::create(settings.mac_capacity);
    if (!macs) return no_memory_for("the MAC table", MacTable::memory_for(settings.mac_capacity));
    auto connections = ConnectionTable::create(settings.connection_places);
    if (!connections)
        return no_memory_for("the connection table", ConnectionTable::memory_for(settings.connection_places));
    return std::unique_ptr<Switch>(
        new Switch(std::make_unique<Impl>(std::move(complete), std::move(macs), std::move(connections))));
}

Switch::Switch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Switch::~Switch() = default;

void Switch::run_worker(std::uint16_t worker) noexcept {
    impl_->workers_[worker]->run(impl_->stop_);
}
void Switch::run_worker_once(std::uint16_t worker) noexcept {
    impl_->workers_[worker]->run_once();
}

void Switch::stop() noexcept {
    impl_->stop_.store(true, std::memory_order_relaxed);
    for (const auto& worker : impl_->workers_) worker->wake();
}

void Switch::set_watcher(SnapshotWatcher* watcher) {
    impl_->watcher_ = watcher;
}

Result<> Switch::apply(const Model& model, const std::map<std::string, PortIo*>& ports) {
    return impl_->apply(model, ports);
}

std::size_t Switch::flush_macs(const MacFilter& filter) {
    return impl_->names_.flush(filter);
}

std::size_t Switch::restore_macs(const std::vector<MacEntry>& entries) {
    return impl_->names_.restore(entries, impl_->indices_, *impl_->snapshots_.read());
}

}  // namespace bulkhead
