// SPDX-License-Identifier: Apache-2.0
#include "vswitch/switch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <set>

#include "vswitch/fdb/mac_names.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/fdb/static_macs.h"
#include "vswitch/model/snapshot_builder.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/ring_watches.h"
#include "vswitch/overlay/underlays.h"
#include "vswitch/port_io.h"
#include "vswitch/snapshot_cell.h"
#include "vswitch/traffic_ledger.h"
#include "vswitch/worker.h"

namespace bulkhead {
namespace {

/// Aging looks at one part of the table per call of housekeeping(), so an entry goes at most this many seconds late.
constexpr std::size_t kAgingParts = 4;

std::uint64_t monotonic_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

std::uint64_t random_number() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace

class Switch::Impl {
  public:
    Impl(SwitchSettings settings, std::unique_ptr<MacTable> macs)
        : settings_(std::move(settings)),
          macs_(std::move(macs)),
          statics_(*macs_),
          names_(*macs_),
          snapshots_(settings_.workers),
          exchange_(settings_.buffers),
          underlays_(next_hops_, exchange_, [this] { wake_workers(); }),
          ring_guard_(exchange_, random_number()),
          ring_watches_(ring_guard_, random_number(), [this] { wake_workers(); }),
          ledger_(workers_) {
        const Pipeline::Shared shared{*macs_, next_hops_, exchange_, ring_guard_, settings_.buffers};
        for (std::uint16_t number = 0; number < settings_.workers; ++number)
            workers_.push_back(std::make_unique<Worker>(number, snapshots_, shared, settings_));
        macs_->set_now(settings_.clock_s());
        macs_->set_wait_for_readers([this] { snapshots_.wait_for_readers(); });
    }

    Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports);
    void age();
    void collect_events();
    void serve_underlays();
    std::size_t count_macs(const std::string& segment) const;
    std::vector<DropRow> drops() const;

    SwitchSettings settings_;
    std::unique_ptr<MacTable> macs_;
    StaticMacs statics_;
    MacNames names_;
    SnapshotCell snapshots_;
    NextHops next_hops_;
    UnderlayExchange exchange_;
    Underlays underlays_;
    RingGuard ring_guard_;
    RingWatches ring_watches_;
    std::vector<std::unique_ptr<Worker>> workers_;
    TrafficLedger ledger_;
    Indices indices_;
    QueuePlan plan_;
    MacEvents events_;
    std::atomic<bool> stop_{false};

  private:
    void open_books(const Indices& before);
    void retire(const Model& model);
    void publish(std::unique_ptr<Snapshot> snapshot);
    void wake_workers() {
        for (const auto& worker : workers_) worker->wake();
    }
    bool moves_queue(const QueuePlan& next) const;

    std::size_t aging_part_ = 0;
};

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
    auto snapshot = build_snapshot(model, ports, plan, settings_.workers, indices_);
    Result<> placed =
        snapshot ? statics_.replace(StaticMacs::wanted(model, indices_)) : Result<>(std::unexpected(snapshot.error()));
    if (!placed) {
        indices_ = before;
        return placed;
    }
    open_books(before);
    names_.learn(indices_);
    underlays_.adopt(model, indices_, ports, settings_.clock_ms());
    ring_watches_.adopt(model, indices_);
    (*snapshot)->cuts = &ring_guard_.cuts();

    if (moves_queue(plan)) {
        // Two workers must never poll one queue: first nobody polls those of this model, then their new workers do.
        auto pause = build_snapshot(model, ports, plan, settings_.workers, indices_).value();
        for (auto& queues : pause->receive_queues) queues.clear();
        pause->cuts = &ring_guard_.cuts();
        publish(std::move(pause));
    }
    publish(std::move(*snapshot));
    underlays_.start(settings_.clock_ms());
    plan_ = std::move(plan);
    collect_events();
    retire(model);
    return {};
}

void Switch::Impl::open_books(const Indices& before) {
    for (const auto& [name, index] : indices_.ports.in_use())
        if (!before.ports.find(name)) ledger_.open_port(index);
    for (const auto& [key, index] : indices_.attachments.in_use())
        if (!before.attachments.find(key)) ledger_.open_attachment(key, index);
}

void Switch::Impl::retire(const Model& model) {
    std::set<AttachmentKey> wanted;
    for_each_attachment(model, [&wanted](const AttachmentKey& key) { wanted.insert(key); });
    std::vector<bool> gone(indices_.attachments.bound(), false);
    bool entries = false;
    for (const auto& [key, index] : std::map(indices_.attachments.in_use())) {
        if (wanted.contains(key)) continue;
        ledger_.close_attachment(key, index);
        gone[index] = true;
        entries |= macs_->entries_of(index) > 0;
        indices_.attachments.retire(key);
    }
    if (entries) macs_->erase_if([&](MacKey, MacValue value) { return gone[value.attachment()]; });
    for (const auto& [name, index] : std::map(indices_.ports.in_use())) {
        const auto tunnel = tunnel_of_port_name(name);
        if (tunnel ? model.tunnels.contains(*tunnel) : model.ports.contains(name)) continue;
        ledger_.forget_port(name);
        indices_.ports.retire(name);
    }
    for (const auto& [name, index] : std::map(indices_.segments.in_use())) {
        if (model.segments.contains(name)) continue;
        ledger_.forget_segment(name);
        indices_.segments.retire(name);
    }
    indices_.attachments.release_retired();
    indices_.ports.release_retired();
    indices_.segments.release_retired();
}

void Switch::Impl::age() {
    const std::uint32_t now = settings_.clock_s();
    macs_->set_now(now);
    const std::size_t part = aging_part_++ % kAgingParts;
    if (macs_->size() == statics_.size()) return;
    const Snapshot& snapshot = *snapshots_.read();
    macs_->erase_if(
        [&](MacKey key, MacValue value) {
            // A worker may have seen it after `now` was read.
            const bool older = !value.is_static() && value.seen_s() < now;
            return older && now - value.seen_s() > snapshot.segments[segment_of(key)].mac_age_s;
        },
        part, kAgingParts);
}

void Switch::Impl::collect_events() {
    std::vector<MacChange> changes;
    for (const auto& worker : workers_) events_.lost += worker->learner().take(changes);
    for (const MacChange& change : changes) {
        events_.events.push_back(names_.describe(change));
        if (change.outcome == MacTable::Learned::moved) ring_watches_.address_moved(change, settings_.clock_ms());
    }
}

void Switch::Impl::serve_underlays() {
    const std::uint64_t now_ms = settings_.clock_ms();
    underlays_.serve(now_ms);
    for (const SegmentIndex segment : ring_watches_.serve(now_ms)) {
        macs_->erase_if([&](MacKey key, MacValue value) {
            return segment_of(key) == segment && !value.is_static() && ring_watches_.is_link(value.attachment());
        });
    }
}

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

Result<std::unique_ptr<Switch>> Switch::create(const SwitchSettings& settings) {
    SwitchSettings complete = settings;
    if (!complete.clock_s) complete.clock_s = [] { return static_cast<std::uint32_t>(monotonic_ms() / 1000); };
    if (!complete.clock_ms) complete.clock_ms = monotonic_ms;
    auto macs = MacTable::create(settings.mac_capacity);
    if (!macs)
        return failure({.code = ErrorCode::limit,
                        .message = "not enough hugepage memory for the MAC table",
                        .field = "/node/memory_mib",
                        .allowed = std::to_string(MacTable::memory_for(settings.mac_capacity) / (1U << 20)) +
                                   " MiB in one piece"});
    return std::unique_ptr<Switch>(new Switch(std::make_unique<Impl>(std::move(complete), std::move(macs))));
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

Result<> Switch::apply(const Model& model, const std::map<std::string, PortIo*>& ports) {
    return impl_->apply(model, ports);
}
void Switch::housekeeping() {
    impl_->age();
}

MacEvents Switch::take_events() {
    impl_->collect_events();
    impl_->macs_->fit();
    return std::exchange(impl_->events_, {});
}

int Switch::underlay_bell() const {
    return impl_->exchange_.bell();
}
void Switch::serve_underlays() {
    impl_->serve_underlays();
}
std::optional<std::uint64_t> Switch::underlay_pause() const {
    const std::uint64_t deadline = impl_->underlays_.next_deadline(), now = impl_->settings_.clock_ms();
    if (deadline == kNever) return std::nullopt;
    return deadline > now ? deadline - now : 0;
}
std::vector<OverlayEvent> Switch::take_overlay_events() {
    return impl_->underlays_.take_events();
}
std::vector<TunnelEvent> Switch::take_tunnel_events() {
    return impl_->underlays_.take_tunnel_events();
}
std::vector<RingEvent> Switch::take_ring_events() {
    return impl_->ring_watches_.take_events();
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
std::size_t Switch::flush_macs(const MacFilter& filter) {
    return impl_->names_.flush(filter);
}

std::size_t Switch::restore_macs(const std::vector<MacEntry>& entries) {
    return impl_->names_.restore(entries, impl_->indices_, *impl_->snapshots_.read());
}

TrafficStats Switch::port_stats(const std::string& name) const {
    return impl_->ledger_.port(name, impl_->indices_);
}
TrafficStats Switch::segment_stats(const std::string& name) const {
    return impl_->ledger_.segment(name);
}

// No frame goes into a tunnel before the data path knows tunnels.
TrafficStats Switch::tunnel_stats(const std::string& name) const {
    return impl_->ledger_.port(port_name_of_tunnel(name), impl_->indices_);
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
                      .bursts = counters.bursts.read()};
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
