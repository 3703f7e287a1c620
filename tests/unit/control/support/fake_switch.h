// SPDX-License-Identifier: Apache-2.0
// A world for the engine without devices, disk or workers. Each fake fails when told to and remembers what was asked of
// it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/state/engine.h"

namespace bulkhead::testing_support {

inline Error broken(std::string message, ErrorCode code = ErrorCode::internal) {
    Error error;
    error.code = code;
    error.message = std::move(message);
    return error;
}

/// What happened to devices, in order: "open web 1500", "release web", "close web", "mtu web 9000".
using Journal = std::vector<std::string>;

class FakePortIo : public PortIo {
  public:
    FakePortIo(std::string name, Journal& journal, bool can_resize, std::function<void(const PortIo*)> on_close,
               std::string mac = {})
        : name_(std::move(name)),
          journal_(journal),
          can_resize_(can_resize),
          on_close_(std::move(on_close)),
          mac_(std::move(mac)) {}
    ~FakePortIo() override {
        journal_.push_back("close " + name_);
        if (on_close_) on_close_(this);
    }

    std::uint16_t receive(std::uint16_t, rte_mbuf**, std::uint16_t) noexcept override { return 0; }
    TransmitResult transmit(std::uint16_t, rte_mbuf**, std::uint16_t) noexcept override { return {}; }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return 1; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return 1; }
    [[nodiscard]] PortState state() const override {
        ++looks;
        PortState state;
        state.link_up = link_up;
        state.driver = "fake";
        state.mac = mac_;
        return state;
    }
    bool set_mtu(std::uint16_t mtu) noexcept override {
        if (can_resize_) journal_.push_back("mtu " + name_ + " " + std::to_string(mtu));
        return can_resize_;
    }
    void set_guest_offloads(const GuestOffloads& offloads) noexcept override {
        journal_.push_back("offloads " + name_ + (offloads.checksum ? " csum" : "") + (offloads.tso4 ? " tso4" : "") +
                           (offloads.tso6 ? " tso6" : ""));
    }
    void release() noexcept override { journal_.push_back("release " + name_); }

    bool link_up = true;
    mutable std::size_t looks = 0;  ///< how often state() was asked

  private:
    std::string name_;
    Journal& journal_;
    bool can_resize_;
    std::function<void(const PortIo*)> on_close_;
    std::string mac_;
};

class FakeFactory : public PortFactory {
  public:
    explicit FakeFactory(Journal& journal) : journal_(journal) {}

    Result<std::unique_ptr<PortIo>> open(const Port& port, std::uint16_t mtu, std::uint64_t token) override {
        ++opens;
        if (absent.contains(port.name)) return failure(broken("no such device", ErrorCode::device_failed));
        journal_.push_back("open " + port.name + " " + std::to_string(mtu));
        tokens[port.name] = token;
        opened[port.name] = port;
        return std::make_unique<FakePortIo>(port.name, journal_, can_resize, on_close, macs[port.name]);
    }

    std::set<std::string> absent;  ///< ports whose device can't be opened
    bool can_resize = true;
    std::function<void(const PortIo*)> on_close = {};
    std::size_t opens = 0;
    std::map<std::string, std::uint64_t> tokens;
    std::map<std::string, Port> opened;       ///< what the device was opened for, last
    std::map<std::string, std::string> macs;  ///< of the devices

  private:
    Journal& journal_;
};

class FakeDisk : public Persistence {
  public:
    Result<> save(const DurableState& state) override {
        if (fails) return failure(broken("disk full"));
        ++saves;
        saved = state;
        return {};
    }
    bool fails = false;
    std::size_t saves = 0;
    DurableState saved;
};

class FakeSwitch : public SwitchTarget {
  public:
    Result<> apply(const Model& applied, const std::map<std::string, PortIo*>& open) override {
        if (fail_next > 0 && --fail_next == 0) return failure(broken("no memory", ErrorCode::limit));
        ++applies;
        model = applied;
        ports = open;
        return {};
    }
    std::size_t flush_macs(const MacFilter& filter) override {
        return std::erase_if(learned, [&](const MacEntry& entry) { return takes(filter, entry); });
    }
    std::size_t flush_connections(const ConnectionFilter& filter) override {
        asked_connections = filter;
        return connected.connections.size();
    }
    [[nodiscard]] ConnectionReport connections(const ConnectionFilter& filter, std::size_t from,
                                               std::size_t limit) const override {
        asked_connections = filter;
        ConnectionReport report{.connections = {}, .open = connected.open, .capacity = connected.capacity};
        for (const ConnectionInfo& connection : connected.connections)
            if (connection.place >= from && report.connections.size() < limit) report.connections.push_back(connection);
        return report;
    }
    /// Those of `learned`, which stands in order.
    [[nodiscard]] std::vector<MacEntry> macs(const MacFilter& filter, const MacRange& range) const override {
        std::vector<MacEntry> result;
        for (const MacEntry& entry : learned) {
            const bool behind = !range.after || std::pair(entry.segment, entry.mac) > *range.after;
            if (behind && takes(filter, entry) && result.size() < range.limit) result.push_back(entry);
        }
        return result;
    }
    static bool takes(const MacFilter& filter, const MacEntry& entry) {
        return (!filter.segments || filter.segments->contains(entry.segment)) &&
               (!filter.port || entry.port == *filter.port) && (!filter.tunnel || entry.tunnel == *filter.tunnel) &&
               (!filter.mac || entry.mac == *filter.mac);
    }
    [[nodiscard]] std::size_t mac_count() const override { return learned.size(); }
    [[nodiscard]] std::size_t mac_count(const std::string& segment) const override {
        return macs({.segments = {{segment}}}, {}).size();
    }
    [[nodiscard]] TrafficStats port_stats(const std::string&) const override { return traffic; }
    [[nodiscard]] TrafficStats segment_stats(const std::string&) const override { return traffic; }
    [[nodiscard]] TrafficStats tunnel_stats(const std::string&) const override { return traffic; }
    [[nodiscard]] RuleHits rule_hits(const std::string& segment, const std::string& name) const override {
        const auto known = hits.find({segment, name});
        return known == hits.end() ? RuleHits{} : known->second;
    }
    [[nodiscard]] MirrorStats mirror_stats(const std::string& segment, const std::string& name) const override {
        const auto known = copied.find({segment, name});
        return known == copied.end() ? MirrorStats{} : known->second;
    }
    [[nodiscard]] Result<PacketExplanation> explain_packet(const PacketQuestion& question) const override {
        asked = question;
        return explanation;
    }
    [[nodiscard]] InstalledAnswer ask_installed_rules(const std::string&, const RuleQuestion& question) const override {
        asked_rules = question;
        return installed;
    }
    [[nodiscard]] SegmentVerification verify_segment(const VerificationQuestion& question) const override {
        asked_segment = question.segment;
        if (verify) return verify(question);
        return {};
    }
    [[nodiscard]] TunnelState tunnel_state(const std::string&) const override { return tunnel; }
    [[nodiscard]] std::vector<NeighborInfo> neighbors(const std::string& underlay) const override {
        const auto known = neighbors_of.find(underlay);
        return known == neighbors_of.end() ? std::vector<NeighborInfo>{} : known->second;
    }
    [[nodiscard]] WorkerStats worker_stats(std::uint16_t) const override { return worker; }
    [[nodiscard]] std::uint16_t workers() const override { return 2; }
    [[nodiscard]] std::vector<DropRow> drops() const override { return drop_rows; }
    [[nodiscard]] std::vector<QueueAssignment> queue_plan(const std::string&) const override { return {{0, 1}}; }

    int fail_next = 0;  ///< the how manieth apply from now fails; 0: none
    std::size_t applies = 0;
    Model model;
    std::map<std::string, PortIo*> ports;
    std::vector<MacEntry> learned;
    TrafficStats traffic;
    std::map<std::pair<std::string, std::string>, RuleHits> hits;       ///< by (segment, name) of the rule
    std::map<std::pair<std::string, std::string>, MirrorStats> copied;  ///< the same, and by ("", name) of a mirror
    mutable PacketQuestion asked;                                       ///< by the last explain_packet()
    PacketExplanation explanation;
    mutable RuleQuestion asked_rules;  ///< by the last ask_installed_rules()
    InstalledAnswer installed;
    ConnectionReport connected;                  ///< whatever the filter is
    mutable ConnectionFilter asked_connections;  ///< by the last connections() or flush_connections()
    mutable std::string asked_segment;           ///< by the last verify_segment()
    std::function<SegmentVerification(const VerificationQuestion&)> verify;
    TunnelState tunnel;
    std::map<std::string, std::vector<NeighborInfo>> neighbors_of;
    WorkerStats worker;
    std::vector<DropRow> drop_rows;
};

/// An engine in a world of its own.
struct World {
    Journal journal;
    FakeSwitch target;
    FakeFactory factory{journal};
    FakeDisk disk;
    Time now{};
    std::vector<EngineEvent> events;
    Engine engine{{.target = target,
                   .factory = factory,
                   .persistence = disk,
                   .observer = [this](const EngineEvent& event) { events.push_back(event); },
                   .now = [this] { return now; }}};

    void pass(std::chrono::milliseconds time) {
        now += time;
        engine.tick();
    }
    [[nodiscard]] std::size_t count(const std::string& entry) const {
        return static_cast<std::size_t>(std::ranges::count(journal, entry));
    }
};

inline Segment segment(std::string name, std::uint32_t vni, std::string owner = {}) {
    Segment result;
    result.name = std::move(name);
    result.vni = vni;
    result.owner = std::move(owner);
    return result;
}

inline Attachment attached(std::string segment, std::optional<std::uint16_t> vlan = {}) {
    return {.vlan = vlan, .segment = std::move(segment), .macs = {}};
}

/// A vhost-user port at /run/NAME; attached to `segment` unless that is empty.
inline Port guest(std::string name, std::string segment = {}, std::string owner = {}) {
    Port port;
    port.device = VhostUserDevice{.path = "/run/" + name, .owner_uid = {}, .owner_gid = {}, .socket_mode = {}};
    port.name = std::move(name);
    port.owner = std::move(owner);
    if (!segment.empty()) port.attachments.push_back(attached(std::move(segment)));
    return port;
}

/// A NIC that no segment is attached to.
inline Port nic(std::string name) {
    Port port;
    port.device = EthdevDevice{.devargs = "net_" + name, .mac = {}};
    port.name = std::move(name);
    return port;
}

/// 192.0.2.1/24 on that port.
inline Underlay underlay(std::string name, std::string port) {
    Underlay result;
    result.name = std::move(name);
    result.port = std::move(port);
    result.addresses = {*IpPrefix::parse("192.0.2.1/24")};
    return result;
}

inline Tunnel tunnel(std::string name, std::string underlay, std::string_view remote,
                     std::vector<std::string> segments) {
    Tunnel result;
    result.name = std::move(name);
    result.underlay = std::move(underlay);
    result.remote = *IpAddress::parse(remote);
    result.segments = std::move(segments);
    return result;
}

inline Group group(std::string segment, std::string name, std::uint16_t id, std::string owner = {}) {
    return {.owner = std::move(owner), .segment = std::move(segment), .name = std::move(name), .id = id};
}

/// That allows everything.
inline Policy policy(std::string segment, std::string name, std::uint32_t order = 100, std::string owner = {}) {
    Policy result;
    result.owner = std::move(owner);
    result.segment = std::move(segment);
    result.name = std::move(name);
    result.order = order;
    return result;
}

inline void put(Model& model, Segment object) {
    model.segments.insert_or_assign(object.name, object);
}
inline void put(Model& model, Port object) {
    model.ports.insert_or_assign(object.name, object);
}
inline void put(Model& model, Underlay object) {
    model.underlays.insert_or_assign(object.name, object);
}
inline void put(Model& model, Tunnel object) {
    model.tunnels.insert_or_assign(object.name, object);
}
inline void put(Model& model, StaticMac object) {
    model.static_macs.insert_or_assign(std::pair(object.segment, object.mac), object);
}
inline void put(Model& model, Group object) {
    model.groups.insert_or_assign(std::pair(object.segment, object.name), object);
}
inline void put(Model& model, Policy object) {
    model.policies.insert_or_assign(std::pair(object.segment, object.name), object);
}

/// A model of these objects.
template <typename... Objects>
Model model_of(Objects... objects) {
    Model model;
    (put(model, std::move(objects)), ...);
    return model;
}

}  // namespace bulkhead::testing_support
