// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/state/surroundings.h"
#include "vswitch/switch.h"

namespace bulkhead::daemon {

/// The real switch behind the engine's interface.
class SwitchAdapter : public SwitchTarget {
  public:
    explicit SwitchAdapter(Switch& target) : switch_(target) {}

    Result<> apply(const Model& model, const std::map<std::string, PortIo*>& ports) override {
        return switch_.apply(model, ports);
    }
    std::size_t flush_macs(const MacFilter& filter) override { return switch_.flush_macs(filter); }
    std::size_t flush_connections(const ConnectionFilter& filter) override { return switch_.flush_connections(filter); }
    [[nodiscard]] ConnectionReport connections(const ConnectionFilter& filter, std::size_t from,
                                               std::size_t limit) const override {
        return switch_.connections(filter, from, limit);
    }
    [[nodiscard]] std::vector<MacEntry> macs(const MacFilter& filter, const MacRange& range) const override {
        return switch_.macs(filter, range);
    }
    [[nodiscard]] std::size_t mac_count() const override { return switch_.mac_count(); }
    [[nodiscard]] std::size_t mac_count(const std::string& segment) const override {
        return switch_.mac_count(segment);
    }
    [[nodiscard]] TrafficStats port_stats(const std::string& name) const override { return switch_.port_stats(name); }
    [[nodiscard]] TrafficStats segment_stats(const std::string& name) const override {
        return switch_.segment_stats(name);
    }
    [[nodiscard]] TrafficStats tunnel_stats(const std::string& name) const override {
        return switch_.tunnel_stats(name);
    }
    [[nodiscard]] RuleHits rule_hits(const std::string& segment, const std::string& name) const override {
        return switch_.rule_hits(segment, name);
    }
    [[nodiscard]] MirrorStats mirror_stats(const std::string& segment, const std::string& name) const override {
        return switch_.mirror_stats(segment, name);
    }
    [[nodiscard]] Result<PacketExplanation> explain_packet(const PacketQuestion& question) const override {
        return switch_.explain_packet(question);
    }
    [[nodiscard]] InstalledAnswer ask_installed_rules(const std::string& segment,
                                                      const RuleQuestion& question) const override {
        return switch_.ask_installed_rules(segment, question);
    }
    [[nodiscard]] SegmentVerification verify_segment(const VerificationQuestion& question) const override {
        return switch_.verify_segment(question);
    }
    [[nodiscard]] TunnelState tunnel_state(const std::string& name) const override {
        return switch_.tunnel_state(name);
    }
    [[nodiscard]] std::vector<NeighborInfo> neighbors(const std::string& underlay) const override {
        return switch_.neighbors(underlay);
    }
    [[nodiscard]] WorkerStats worker_stats(std::uint16_t worker) const override { return switch_.worker_stats(worker); }
    [[nodiscard]] std::uint16_t workers() const override { return switch_.workers(); }
    [[nodiscard]] std::vector<DropRow> drops() const override { return switch_.drops(); }
    [[nodiscard]] std::vector<QueueAssignment> queue_plan(const std::string& port) const override {
        return switch_.queue_plan(port);
    }

  private:
    Switch& switch_;
};

}  // namespace bulkhead::daemon
