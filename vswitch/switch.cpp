// SPDX-License-Identifier: Apache-2.0
#include "vswitch/switch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot_builder.h"
#include "vswitch/port_io.h"
#include "vswitch/snapshot_cell.h"
#include "vswitch/traffic_ledger.h"
#include "vswitch/worker.h"

namespace bulkhead {
namespace {

/// Aging looks at one part of the table per call of housekeeping(), so an entry goes at most this many seconds late.
constexpr std::size_t kAgingParts = 4;

std::uint32_t monotonic_seconds() {
    using namespace std::chrono;
    return static_cast<std::uint32_t>(duration_cast<seconds>(steady_clock::now().time_since_epoch()).count());
}

AttachmentKey key_of(const std::string& port, const Attachment& attachment) {
    return {port, attachment.segment, attachment.vlan.value_or(0)};
}

}  // namespace

class Switch::Impl {
  public:
    Impl(SwitchSettings settings, std::unique_ptr<MacTable> macs)
        : settings_(std::move(settings)), macs_(std::move(macs)), snapshots_(settings_.workers), ledger_(workers_) {
        for (std::uint16_t number = 0; number < settings_.workers; ++number)
            workers_.push_back(std::make_unique<Worker>(number, snapshots_, *macs_, settings_));
        macs_->set_now(settings_.clock_s());
    }

    Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports);
    void age();
    void collect_events();
    std::vector<MacEntry> macs(const std::optional<std::string>& segment) const;
    std::size_t count_macs(const std::string& segment) const;
    std::size_t flush(const std::optional<std::string>& segment, const std::optional<std::string>& port,
                      const std::optional<MacAddress>& mac);
    std::vector<DropRow> drops() const;

    SwitchSettings settings_;
    std::unique_ptr<MacTable> macs_;
    SnapshotCell snapshots_;
    std::vector<std::unique_ptr<Worker>> workers_;
    TrafficLedger ledger_;
    Indices indices_;
    QueuePlan plan_;
    MacEvents events_;
    std::atomic<bool> stop_{false};

  private:
    using Statics = std::map<MacKey, AttachmentIndex>;

    Statics statics_of(const Model& model) const;
    Result<> place(const Statics& wanted);
    void retire(const Model& model);
    void publish(std::unique_ptr<Snapshot> snapshot);
    bool moves_queue(const QueuePlan& next) const;
    void rename(const Model& model);

    Statics statics_;
    std::size_t aging_part_ = 0;
    std::vector<AttachmentKey> attachment_names_;  ///< by AttachmentIndex
    std::vector<std::string> segment_names_;       ///< by SegmentIndex
};

Switch::Impl::Statics Switch::Impl::statics_of(const Model& model) const {
    Statics statics;
    for (const auto& [name, port] : model.ports) {
        for (const Attachment& attachment : port.attachments) {
            const SegmentIndex segment = *indices_.segments.find(attachment.segment);
            const AttachmentIndex index = *indices_.attachments.find(key_of(name, attachment));
            for (const MacAddress& mac : attachment.macs) statics[mac_key(segment, mac.value())] = index;
            const auto placed = std::pair{attachment.segment, MacAddress{}};
            for (auto at = model.static_macs.lower_bound(placed);
                 at != model.static_macs.end() && at->first.first == attachment.segment; ++at)
                if (at->second.port == name) statics[mac_key(segment, at->second.mac.value())] = index;
        }
    }
    return statics;
}

Result<> Switch::Impl::place(const Statics& wanted) {
    MacTable::WriteGuard guard(*macs_);
    for (const auto& [key, index] : wanted) {
        if (const auto present = statics_.find(key); present != statics_.end() && present->second == index) continue;
        if (!guard.place(key, index))
            return failure({.code = ErrorCode::limit,
                            .message = "the MAC table has no room for a static entry",
                            .field = "/macs",
                            .got = mac_of(key).to_string()});
    }
    for (const auto& [key, index] : statics_)
        if (!wanted.contains(key)) guard.erase(key);
    statics_ = wanted;
    return {};
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
    snapshots_.publish(std::move(snapshot), [this] {
        for (const auto& worker : workers_) worker->wake();
    });
}

Result<> Switch::Impl::apply(const Model& model, const std::map<std::string, PortIo*>& ports) {
    std::vector<QueueDemand> demands;
    for (const auto& [name, port] : model.ports)
        if (const auto open = ports.find(name); open != ports.end())
            demands.push_back({name, open->second->receive_queues(), port.workers});
    QueuePlan plan = plan_queues(demands, settings_.workers, plan_);

    const auto known_ports = indices_.ports.in_use();
    const auto known_attachments = indices_.attachments.in_use();
    auto snapshot = build_snapshot(model, ports, plan, settings_.workers, indices_);
    if (!snapshot) return std::unexpected(snapshot.error());
    for (const auto& [name, index] : indices_.ports.in_use())
        if (!known_ports.contains(name)) ledger_.open_port(index);
    for (const auto& [key, index] : indices_.attachments.in_use())
        if (!known_attachments.contains(key)) ledger_.open_attachment(index);
    if (auto placed = place(statics_of(model)); !placed) return placed;

    if (moves_queue(plan)) {
        // Two workers must never poll one queue: first nobody polls those of this model, then their new workers do.
        auto pause = build_snapshot(model, ports, plan, settings_.workers, indices_);
        if (!pause) return std::unexpected(pause.error());
        for (auto& queues : (*pause)->receive_queues) queues.clear();
        publish(std::move(*pause));
    }
    publish(std::move(*snapshot));
    plan_ = std::move(plan);
    collect_events();
    retire(model);
    rename(model);
    return {};
}

void Switch::Impl::retire(const Model& model) {
    std::set<AttachmentKey> wanted;
    for (const auto& [name, port] : model.ports)
        for (const Attachment& attachment : port.attachments) wanted.insert(key_of(name, attachment));
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
        if (model.ports.contains(name)) continue;
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

void Switch::Impl::rename(const Model& model) {
    attachment_names_.resize(indices_.attachments.bound());
    for (const auto& [key, index] : indices_.attachments.in_use()) attachment_names_[index] = key;
    segment_names_.resize(indices_.segments.bound());
    for (const auto& [name, segment] : model.segments) segment_names_[*indices_.segments.find(name)] = name;
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
        using enum MacTable::Learned;
        if (change.attachment >= attachment_names_.size()) continue;
        MacEvent event;
        event.segment = segment_names_[segment_of(change.key)];
        event.mac = mac_of(change.key);
        event.port = attachment_names_[change.attachment].port;
        if (change.outcome == moved) {
            event.kind = MacEvent::Kind::moved;
            if (change.was < attachment_names_.size()) event.from_port = attachment_names_[change.was].port;
        } else if (change.outcome != added) {
            event.kind = MacEvent::Kind::limit;
        }
        events_.events.push_back(std::move(event));
    }
}

std::vector<MacEntry> Switch::Impl::macs(const std::optional<std::string>& segment) const {
    const auto wanted = segment ? indices_.segments.find(*segment) : std::nullopt;
    std::vector<MacEntry> entries;
    if (segment && !wanted) return entries;
    const std::uint32_t now = settings_.clock_s();
    macs_->for_each([&](MacKey key, MacValue value) {
        if (wanted && segment_of(key) != *wanted) return;
        const AttachmentKey& attachment = attachment_names_[value.attachment()];
        MacEntry entry{attachment.segment, mac_of(key), attachment.port, std::nullopt, value.is_static(), 0};
        if (attachment.vlan != 0) entry.vlan = attachment.vlan;
        if (!value.is_static() && now > value.seen_s()) entry.age_s = now - value.seen_s();
        entries.push_back(std::move(entry));
    });
    std::ranges::sort(entries, [](const MacEntry& a, const MacEntry& b) {
        return std::tie(a.segment, a.mac) < std::tie(b.segment, b.mac);
    });
    return entries;
}

std::size_t Switch::Impl::count_macs(const std::string& segment) const {
    const auto index = indices_.segments.find(segment);
    if (!index) return 0;
    // The MAC fills the key's low bits, so a segment's static entries stand side by side.
    const auto first = statics_.lower_bound(mac_key(*index, 0));
    const auto last = statics_.upper_bound(mac_key(*index, MacAddress(~0ULL).value()));
    return macs_->learned_in(*index) + static_cast<std::size_t>(std::distance(first, last));
}

std::size_t Switch::Impl::flush(const std::optional<std::string>& segment, const std::optional<std::string>& port,
                                const std::optional<MacAddress>& mac) {
    return macs_->erase_if([&](MacKey key, MacValue value) {
        const AttachmentKey& attachment = attachment_names_[value.attachment()];
        return !value.is_static() && (!segment || attachment.segment == *segment) &&
               (!port || attachment.port == *port) && (!mac || mac_of(key) == *mac);
    });
}

std::vector<DropRow> Switch::Impl::drops() const {
    std::vector<DropRow> rows;
    const auto add = [&rows](const std::string& port, const std::string& segment, const TrafficStats& stats) {
        if (std::ranges::any_of(stats.drops, [](std::uint64_t count) { return count > 0; }))
            rows.push_back({port, segment, stats.drops});
    };
    for (const auto& [name, index] : indices_.ports.in_use()) add(name, {}, ledger_.port_itself(index));
    for (const auto& [key, index] : indices_.attachments.in_use())
        add(key.port, key.segment, ledger_.attachment(index));
    std::ranges::sort(rows, [](const DropRow& a, const DropRow& b) {
        return std::tie(a.port, a.segment) < std::tie(b.port, b.segment);
    });
    return rows;
}

Result<std::unique_ptr<Switch>> Switch::create(const SwitchSettings& settings) {
    SwitchSettings complete = settings;
    if (!complete.clock_s) complete.clock_s = monotonic_seconds;
    auto macs = MacTable::create(settings.mac_capacity);
    if (!macs)
        return failure({.code = ErrorCode::limit,
                        .message = "not enough hugepage memory for the MAC table",
                        .field = "/node/memory_mib",
                        .allowed = std::to_string(settings.mac_capacity * 32 / (1U << 20)) + " MiB in one piece"});
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
    return std::exchange(impl_->events_, {});
}

std::vector<MacEntry> Switch::macs(const std::optional<std::string>& segment) const {
    return impl_->macs(segment);
}
std::size_t Switch::mac_count() const {
    return impl_->macs_->size();
}
std::size_t Switch::mac_count(const std::string& segment) const {
    return impl_->count_macs(segment);
}
std::size_t Switch::flush_macs(const std::optional<std::string>& segment, const std::optional<std::string>& port,
                               const std::optional<MacAddress>& mac) {
    return impl_->flush(segment, port, mac);
}

TrafficStats Switch::port_stats(const std::string& name) const {
    return impl_->ledger_.port(name, impl_->indices_);
}
TrafficStats Switch::segment_stats(const std::string& name) const {
    return impl_->ledger_.segment(name, impl_->indices_);
}

WorkerStats Switch::worker_stats(std::uint16_t worker) const {
    const WorkerCounters& counters = impl_->workers_[worker]->counters();
    const Books& books = counters.books;
    WorkerStats stats{.received = books.received.read(),
                      .originated = books.originated.read(),
                      .copies = books.copies.read(),
                      .transmitted = books.transmitted.read(),
                      .consumed = books.consumed.read(),
                      .held = 0,
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
