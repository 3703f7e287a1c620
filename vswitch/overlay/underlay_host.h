// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/base/token_bucket.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/arp_message.h"
#include "vswitch/overlay/link_format.h"
#include "vswitch/overlay/neighbor_cache.h"
#include "vswitch/overlay/neighbor_message.h"
#include "vswitch/overlay/own_addresses.h"
#include "vswitch/overlay/underlay_event.h"
#include "vswitch/overlay/underlay_routes.h"
#include "vswitch/packet/ip_packet.h"

namespace bulkhead {

/// What a node does on its underlay's link without help of the kernel: keeps the next hops of its tunnels resolved
/// (ARP, RFC 826; Neighbor Discovery, RFC 4861), claims its addresses, answers for them, and answers pings. With an
/// IPv6 address the node also has the link-local one of its MAC.
///
/// Reads no clock and holds no thread or device; one thread calls it. Memory, and what it sends, are bounded however
/// much is received. Whoever calls it drains changes and events after each call.
class UnderlayHost {
  public:
    struct Settings {
        MacAddress mac;
        std::vector<IpPrefix> addresses;
        std::vector<IpAddress> gateways;
        std::optional<std::uint16_t> vlan;
        std::uint16_t mtu = kDefaultMtu;
        std::vector<Underlay::Neighbor> fixed;
    };
    /// Takes a whole Ethernet frame, which is valid during the call.
    using Emit = std::function<void(std::span<const std::uint8_t> frame)>;

    enum class Verdict : std::uint8_t {
        used,       ///< it was for this host alone
        noted,      ///< this host took note of it; it may be for others as well
        not_ours,   ///< nothing that this host deals with
        malformed,  ///< to be discarded
        limited,    ///< left unanswered, there are too many
    };

    UnderlayHost(Settings settings, Emit emit);
    UnderlayHost(const UnderlayHost&) = delete;
    UnderlayHost& operator=(const UnderlayHost&) = delete;

    /// Nothing is asked or announced before the link is up. Up again, everything is asked and announced anew.
    void link_up(std::uint64_t now);
    void link_down() { is_up_ = false; }

    /// The remote nodes whose next hops are to be kept resolved.
    void set_wanted(const std::set<IpAddress>& remotes, std::uint64_t now);
    /// The neighbour that packets to `remote` go through; none if there is none.
    [[nodiscard]] std::optional<IpAddress> next_hop(const IpAddress& remote) const { return routes_.next_hop(remote); }
    [[nodiscard]] std::optional<MacAddress> mac_of(const IpAddress& neighbor) const { return cache_.mac_of(neighbor); }
    /// It was asked, and does not answer.
    [[nodiscard]] bool has_failed(const IpAddress& neighbor) const { return cache_.has_failed(neighbor); }

    /// A whole Ethernet frame, with its VLAN tag.
    Verdict receive(std::span<const std::uint8_t> frame, std::uint64_t now);
    /// Does what is due. To be called at next_deadline(), which every other call may change; earlier is harmless.
    void tick(std::uint64_t now);
    [[nodiscard]] std::uint64_t next_deadline() const;

    [[nodiscard]] std::vector<CachedNeighbor> neighbors(std::uint64_t now) const { return cache_.neighbors(now); }
    [[nodiscard]] std::vector<OwnAddresses::State> addresses() const { return own_.states(); }
    [[nodiscard]] std::vector<NextHopChange> take_changes() { return cache_.take_changes(); }
    [[nodiscard]] std::vector<UnderlayEvent> take_events();

  private:
    Verdict receive_arp(const LinkFrame& frame, std::uint64_t now);
    Verdict receive_ipv4(const LinkFrame& frame, std::uint64_t now);
    Verdict receive_ipv6(const LinkFrame& frame, std::uint64_t now);
    Verdict receive_solicitation(const LinkFrame& frame, const NeighborMessage& message, std::uint64_t now);
    Verdict receive_advertisement(const LinkFrame& frame, const NeighborMessage& message, std::uint64_t now);
    Verdict answer_echo(const LinkFrame& frame, const IpPacket& packet, std::uint64_t now);
    /// Neighbours that are wanted have an allowance of their own, which no stranger can use up.
    [[nodiscard]] bool may_answer(const IpAddress& asker, std::uint64_t now);

    void solicit(const IpAddress& target, const std::optional<MacAddress>& to);
    void say(const IpAddress& address, OwnAddresses::Say what);
    void send(const MacAddress& destination, const ArpMessage& message);
    void send(const MacAddress& destination, const NeighborMessage& message);

    LinkFormat link_;
    std::uint16_t mtu_;
    UnderlayRoutes routes_;
    Emit emit_;
    std::vector<UnderlayEvent> events_;
    OwnAddresses own_;
    NeighborCache cache_;
    TokenBucket answers_to_wanted_;
    TokenBucket answers_;
    TokenBucket echoes_;
    bool is_up_ = false;
};

}  // namespace bulkhead
