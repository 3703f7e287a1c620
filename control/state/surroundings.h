// SPDX-License-Identifier: Apache-2.0
// What the engine needs of the world, as narrow interfaces: tests put their own in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/overlay_state.h"
#include "vswitch/port_io.h"
#include "vswitch/switch.h"

namespace bulkhead {

/// bulkhead::Switch, as far as control uses it.
class SwitchTarget {
  public:
    virtual ~SwitchTarget() = default;

    virtual Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports) = 0;
    virtual std::size_t flush_macs(const MacFilter& filter) = 0;
    virtual std::size_t flush_connections(const ConnectionFilter& filter) = 0;

    [[nodiscard]] virtual std::vector<MacEntry> macs(const MacFilter& filter, const MacRange& range) const = 0;
    [[nodiscard]] virtual std::size_t mac_count() const = 0;
    [[nodiscard]] virtual std::size_t mac_count(const std::string& segment) const = 0;
    [[nodiscard]] virtual TrafficStats port_stats(const std::string& name) const = 0;
    [[nodiscard]] virtual TrafficStats segment_stats(const std::string& name) const = 0;
    /// What went into a tunnel (tx) and came out of it (rx).
    [[nodiscard]] virtual TrafficStats tunnel_stats(const std::string& name) const = 0;
    [[nodiscard]] virtual RuleHits rule_hits(const std::string& segment, const std::string& name) const = 0;
    [[nodiscard]] virtual MirrorStats mirror_stats(const std::string& segment, const std::string& name) const = 0;
    [[nodiscard]] virtual ConnectionReport connections(const ConnectionFilter& filter, std::size_t from,
                                                       std::size_t limit) const = 0;
    [[nodiscard]] virtual Result<PacketExplanation> explain_packet(const PacketQuestion& question) const = 0;
    [[nodiscard]] virtual InstalledAnswer ask_installed_rules(const std::string& segment,
                                                              const RuleQuestion& question) const = 0;
    [[nodiscard]] virtual SegmentVerification verify_segment(const VerificationQuestion& question) const = 0;
    [[nodiscard]] virtual TunnelState tunnel_state(const std::string& name) const = 0;
    [[nodiscard]] virtual std::vector<NeighborInfo> neighbors(const std::string& underlay) const = 0;
    [[nodiscard]] virtual WorkerStats worker_stats(std::uint16_t worker) const = 0;
    [[nodiscard]] virtual std::uint16_t workers() const = 0;
    [[nodiscard]] virtual std::vector<DropRow> drops() const = 0;
    [[nodiscard]] virtual std::vector<QueueAssignment> queue_plan(const std::string& port) const = 0;
};

/// Opens the device of a port.
class PortFactory {
  public:
    virtual ~PortFactory() = default;
    /// `token` names this opening: events of the device come back to Engine::port_event with it, so that those of a
    /// port that was closed meanwhile are not taken for its successor's.
    virtual Result<std::unique_ptr<PortIo>> open(const Port& port, std::uint16_t mtu, std::uint64_t token) = 0;
};

/// What outlives a restart.
struct DurableState {
    std::uint64_t generation = 0;
    Model model;  ///< without the objects of the configuration file
};

class Persistence {
  public:
    virtual ~Persistence() = default;
    /// Returns when the state is on the disk; after a failure the former one still is.
    virtual Result<> save(const DurableState& state) = 0;
};

}  // namespace bulkhead
