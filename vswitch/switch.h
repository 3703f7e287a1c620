// SPDX-License-Identifier: Apache-2.0
// The switch as control sees it: give it a model and open ports, and its workers forward by them. Everything by name;
// the indices of the data path stay inside.
//
// Threads: run_worker() is one worker thread each; stop() may be called from anywhere; all else is for the one control
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/base/drop_reason.h"
#include "vswitch/base/result.h"
#include "vswitch/explain/packet_explanation.h"
#include "vswitch/explain/rule_steps.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/overlay_state.h"
#include "vswitch/policy/connection_report.h"
#include "vswitch/policy/policy_log_entry.h"
#include "vswitch/verify/verification.h"

struct rte_mempool;

namespace bulkhead {

class PortIo;
class SnapshotWatcher;

enum class IdleMode : std::uint8_t {
    busy,      ///< poll without pause
    adaptive,  ///< sleep when idle, woken by the ports' descriptors or after max_sleep_us
};

struct SwitchSettings {
    std::uint16_t workers = 1;
    rte_mempool* buffers = nullptr;  ///< for copies, headers and segments; ports have their own reference
    rte_mempool* copies = nullptr;   ///< for what mirrors copy, and nothing else; null: they copy nothing
    std::size_t mac_capacity = 1U << 20;
    std::size_t connection_places = 1U << 18;  ///< of which three quarters can be in use
    IdleMode idle = IdleMode::adaptive;
    std::uint32_t max_sleep_us = 1000;
    /// Seconds of a clock that only goes forward, for aging.
    std::function<std::uint32_t()> clock_s;
    std::function<std::uint64_t()> clock_ms;  ///< the same, for neighbours
};

struct TrafficStats {
    std::uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
    std::array<std::uint64_t, kDropReasons> drops{};
};

struct WorkerStats {
    std::uint64_t received = 0, originated = 0, copies = 0, transmitted = 0, consumed = 0, held = 0;
    std::array<std::uint64_t, kDropReasons> drops{};
    std::uint64_t busy_cycles = 0, idle_cycles = 0, sleeps = 0, bursts = 0;
    std::uint64_t marked = 0, stale_marks = 0;  ///< frames that a NIC's mark led to their tunnel; marks of former rules
};

/// What a rule of policy has decided about.
struct RuleHits {
    std::uint64_t packets = 0, bytes = 0;
    bool operator==(const RuleHits&) const = default;
};

/// What an observer got of a mirror, or of a rule that mirrors.
struct MirrorStats {
    std::uint64_t packets = 0, bytes = 0;
    std::array<std::uint64_t, kCopyLosses> lost{};
    bool operator==(const MirrorStats&) const = default;
};

/// Drops of one port or tunnel (`segment` empty: before a segment was known) or of one attachment of it.
struct DropRow {
    std::string port;         ///< this, or
    std::string tunnel = {};  ///< this is empty
    std::string segment;
    std::array<std::uint64_t, kDropReasons> drops{};
};

struct MacEntry {
    std::string segment;
    MacAddress mac;
    std::string port;    ///< this, or
    std::string tunnel;  ///< this is empty
    std::optional<std::uint16_t> vlan;
    bool is_static = false;
    std::uint32_t age_s = 0;  ///< seconds since last seen; 0 for static entries
};

/// Entries by segment, port, tunnel and address; what is not set matches every one.
struct MacFilter {
    std::optional<std::set<std::string>> segments;
    std::optional<std::string> port;
    std::optional<std::string> tunnel;
    std::optional<MacAddress> mac;
};

/// A stretch of a list in the order of (segment, MAC).
struct MacRange {
    std::optional<std::pair<std::string, MacAddress>> after;  ///< only what comes behind it
    std::size_t limit = SIZE_MAX;
};

struct MacEvent {
    enum class Kind : std::uint8_t { learned, moved, limit, move_limit };
    Kind kind = Kind::learned;
    std::string segment;
    MacAddress mac;
    std::string port;         ///< this, or
    std::string tunnel;       ///< this is empty
    std::string from_port;    ///< moved, move_limit: where it was
    std::string from_tunnel;  ///< likewise
};

struct MacEvents {
    std::vector<MacEvent> events;
    std::uint64_t lost = 0;  ///< events that found the ring full since the last call
};

/// Which worker polls a receive queue.
struct QueueAssignment {
    std::uint16_t queue = 0;
    std::uint16_t worker = 0;
};

class Switch {
  public:
    static Result<std::unique_ptr<Switch>> create(const SwitchSettings& settings);
    ~Switch();
    Switch(const Switch&) = delete;
    Switch& operator=(const Switch&) = delete;

    void run_worker(std::uint16_t worker) noexcept;       ///< returns after stop()
    void run_worker_once(std::uint16_t worker) noexcept;  ///< one round, instead of run_worker: for tests
    void stop() noexcept;

    /// Told of every change from now on; outlives the switch, or is taken away with null.
    void set_watcher(SnapshotWatcher* watcher);

    /// Puts a valid model in force. `ports` are those that are open, by name: the others of the model exist but carry
    /// nothing (waiting). When it returns, every worker forwards by the new model, ports no longer named are used by
    /// nobody and may be destroyed, and MAC entries of what is gone are gone. On failure nothing has changed.
    Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports);

    void housekeeping();  ///< ages MAC entries; call about once a second
    /// What workers learned since the last call; also fits the MAC table to its size. Call about ten times a second.
    MacEvents take_events();

    /// What rules with `log` tell since the last call. Call about ten times a second, too.
    [[nodiscard]] std::vector<PolicyLogEntry> take_policy_log();

    /// Readable when serve_underlays() has something to do at once.
    [[nodiscard]] int underlay_bell() const;
    /// Answers for this node on its underlays, and keeps its neighbours. Call about ten times a second, too.
    void serve_underlays();
    /// Milliseconds until serve_underlays() must be called for the keepalives' sake; nothing: there are none.
    [[nodiscard]] std::optional<std::uint64_t> underlay_pause() const;
    /// What happened on the underlays since the last call.
    [[nodiscard]] std::vector<OverlayEvent> take_overlay_events();
    [[nodiscard]] std::vector<TunnelEvent> take_tunnel_events();
    /// Which rings of spokes were found, cut and mended since the last call.
    [[nodiscard]] std::vector<RingEvent> take_ring_events();

    /// Reads the whole table, but holds no more entries than `range` asks for.
    [[nodiscard]] std::vector<MacEntry> macs(const MacFilter& filter, const MacRange& range = {}) const;
    [[nodiscard]] std::size_t mac_count() const;
    /// Learned and static ones of a segment; unlike macs() its cost does not grow with the table.
    [[nodiscard]] std::size_t mac_count(const std::string& segment) const;
    /// Forgets learned entries (never static ones), all or those that match. Returns how many.
    std::size_t flush_macs(const MacFilter& filter);

    /// Puts back what macs() gave before a restart, as far as it would still stand. Returns how many.
    std::size_t restore_macs(const std::vector<MacEntry>& entries);

    [[nodiscard]] TrafficStats port_stats(const std::string& name) const;
    [[nodiscard]] TrafficStats segment_stats(const std::string& name) const;
    [[nodiscard]] TrafficStats tunnel_stats(const std::string& name) const;
    /// What a rule of policy has decided about, frames of its connections included.
    [[nodiscard]] RuleHits rule_hits(const std::string& segment, const std::string& name) const;
    /// What the observer got of a rule that mirrors, or, with no segment, of a mirror.
    [[nodiscard]] MirrorStats mirror_stats(const std::string& segment, const std::string& name) const;
    [[nodiscard]] std::size_t connection_count() const;
    /// At most `limit` of those that the filter means, from a place in the table on. Who stays is listed once, whoever
    /// comes or goes between two calls.
    [[nodiscard]] ConnectionReport connections(const ConnectionFilter& filter, std::size_t from,
                                               std::size_t limit) const;
    /// Ends those that the filter means: when it returns, no frame passes by them. With any of them, all first
    /// fragments are forgotten, whoever's they are. Returns how many.
    std::size_t flush_connections(const ConnectionFilter& filter);
    /// What would become of a frame, by every table as it stands: nothing is sent, learned, counted or opened.
    [[nodiscard]] Result<PacketExplanation> explain_packet(const PacketQuestion& question) const;
    /// What the rules in force say, open connections left aside.
    [[nodiscard]] InstalledAnswer ask_installed_rules(const std::string& segment, const RuleQuestion& question) const;
    /// Who can talk to whom by the tables in force, against a model.
    [[nodiscard]] SegmentVerification verify_segment(const VerificationQuestion& question) const;
    [[nodiscard]] TunnelState tunnel_state(const std::string& name) const;
    [[nodiscard]] std::vector<NeighborInfo> neighbors(const std::string& underlay) const;
    [[nodiscard]] WorkerStats worker_stats(std::uint16_t worker) const;
    [[nodiscard]] std::uint16_t workers() const;
    [[nodiscard]] std::vector<DropRow> drops() const;  ///< rows with at least one drop
    [[nodiscard]] std::vector<QueueAssignment> queue_plan(const std::string& port) const;

  private:
    class Impl;
    explicit Switch(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace bulkhead
