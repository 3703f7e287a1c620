// SPDX-License-Identifier: Apache-2.0
// Speaks for this node on its underlays, and tells the workers where next hops are.
//
// Threads: control only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/keepalives.h"
#include "vswitch/overlay/next_hops.h"
#include "vswitch/overlay/overlay_state.h"
#include "vswitch/overlay/underlay_exchange.h"
#include "vswitch/overlay/underlay_host.h"

namespace bulkhead {

class PortIo;

class Underlays {
  public:
    /// `wake` wakes the workers: there is something to send.
    Underlays(NextHops& next_hops, UnderlayExchange& exchange, std::function<void()> wake)
        : next_hops_(next_hops), exchange_(exchange), wake_(std::move(wake)), keepalives_(next_hops, sender()) {}

    /// A valid model is about to be put in force: every tunnel of it gets the next hop that is known. `ports` are those
    /// that are open.
    void adopt(const Model& model, const Indices& indices, const std::map<std::string, PortIo*>& ports,
               std::uint64_t now_ms);
    /// Workers forward by it now: what is new may speak.
    void start(std::uint64_t now_ms);

    /// Takes what the workers handed up, and does what is due.
    void serve(std::uint64_t now_ms);
    /// When serve() must be called again, of what suffers from being late: keepalives.
    [[nodiscard]] std::uint64_t next_deadline() const { return keepalives_.next_deadline(); }

    [[nodiscard]] std::vector<NeighborInfo> neighbors(const std::string& underlay, std::uint64_t now_ms) const;
    [[nodiscard]] TunnelState tunnel(const std::string& name) const;
    [[nodiscard]] std::vector<OverlayEvent> take_events() { return std::exchange(events_, {}); }
    [[nodiscard]] std::vector<TunnelEvent> take_tunnel_events() { return keepalives_.take_events(); }

  private:
    struct Host {
        Underlay configured;
        PortIo* io = nullptr;
        PortIndex nic = kNoPort;
        MacAddress mac;
        bool is_up = false;
        std::uint64_t looked_at_ms = 0;  ///< when the link was asked for its state
        std::unique_ptr<UnderlayHost> speaker;
    };
    struct Reached {
        std::string underlay;
        NextHopIndex index = 0;
        std::optional<IpAddress> next_hop;
    };

    /// What finds no room is said again, as if the link had lost it.
    [[nodiscard]] Keepalives::Send sender();
    [[nodiscard]] std::unique_ptr<UnderlayHost> make_speaker(const Host& host);
    void adopt_hosts(const Model& model, const Indices& indices, const std::map<std::string, PortIo*>& ports);
    void adopt_tunnels(const Model& model, const Indices& indices, std::uint64_t now_ms);
    void adopt_keepalives(const Model& model, std::uint64_t now_ms);
    void receive(PortIndex nic, std::span<const std::uint8_t> frame, std::uint64_t now_ms);
    void look_at_link(Host& host, std::uint64_t now_ms);
    /// Brings what a host has found out to the workers and to whoever listens.
    void pass_on(const std::string& name, Host& host);

    NextHops& next_hops_;
    UnderlayExchange& exchange_;
    std::function<void()> wake_;
    std::map<std::string, Host> hosts_;       ///< by underlay; only those whose port is open
    std::map<std::string, Reached> tunnels_;  ///< by name; of these underlays
    Keepalives keepalives_;
    std::vector<OverlayEvent> events_;
};

}  // namespace bulkhead
