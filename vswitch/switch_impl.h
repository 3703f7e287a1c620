// SPDX-License-Identifier: Apache-2.0
// What a switch is made of, for the files that implement it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "vswitch/fdb/mac_names.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/fdb/static_macs.h"
#include "vswitch/limits/port_limiter.h"
#include "vswitch/mirror/mirror_compiler.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/queue_plan.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/ring_watches.h"
#include "vswitch/overlay/underlays.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/fragment_memory.h"
#include "vswitch/policy/policy_compiler.h"
#include "vswitch/policy_news.h"
#include "vswitch/snapshot_cell.h"
#include "vswitch/switch.h"
#include "vswitch/traffic_ledger.h"
#include "vswitch/worker.h"

namespace bulkhead {

class Switch::Impl {
  public:
    Impl(SwitchSettings settings, std::unique_ptr<MacTable> macs, std::unique_ptr<ConnectionTable> connections);

    Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports);
    void age();
    void end_connections();
    void collect_events();
    void serve_underlays();
    std::size_t count_macs(const std::string& segment) const;
    std::vector<DropRow> drops() const;

    SwitchSettings settings_;
    std::unique_ptr<MacTable> macs_;
    std::unique_ptr<ConnectionTable> connections_;
    FragmentMemory fragments_;
    PolicyCompiler policies_;
    PortLimiters limiters_;
    MirrorCompiler mirrors_;
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
    PolicyNews policy_news_;
    Indices indices_;
    QueuePlan plan_;
    MacEvents events_;
    std::atomic<bool> stop_{false};
    SnapshotWatcher* watcher_ = nullptr;

  private:
    Result<> announce(const Snapshot& next);
    void open_books(const Indices& before);
    void retire(const Model& model);
    void forget_stolen();
    void forget_connections(const std::set<PortIndex>& ports, const std::set<SegmentIndex>& segments);
    void publish(std::unique_ptr<Snapshot> snapshot);
    void wake_workers() {
        for (const auto& worker : workers_) worker->wake();
    }
    bool moves_queue(const QueuePlan& next) const;

    std::size_t aging_part_ = 0, ending_part_ = 0;
    std::vector<bool> bound_;  ///< by attachment: Snapshot::binds_sources, as of the last apply()
};

}  // namespace bulkhead
