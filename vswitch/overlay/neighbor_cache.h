// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/deadline.h"
#include "vswitch/overlay/underlay_event.h"

namespace bulkhead {

/// RFC 4861, section 7.3.2, for IPv6 and IPv4 alike. What is wanted is probed before it expires, so its traffic need
/// never wait.
enum class NeighborState : std::uint8_t {
    fixed,       ///< configured: neither asked nor changed
    incomplete,  ///< asked, not answered yet
    reachable,   ///< answered us lately
    stale,       ///< heard from, but not in answer to us
    probing,     ///< asked again; the MAC is used meanwhile
    failed,      ///< does not answer; asked ever more seldom
};

struct CachedNeighbor {
    IpAddress ip;
    std::optional<MacAddress> mac;
    NeighborState state = NeighborState::incomplete;
    bool is_wanted = false;
    std::uint64_t age_ms = 0;  ///< since it was last heard of, or wanted if it never was; 0 if fixed
    bool operator==(const CachedNeighbor&) const = default;
};

/// The MAC that a wanted next hop has from now on; none: it has none.
struct NextHopChange {
    IpAddress ip;
    std::optional<MacAddress> mac;
    bool operator==(const NextHopChange&) const = default;
};

/// The MACs of the neighbours: those that are wanted are kept resolved, those that asked for us are remembered for a
/// while, up to kMaxUnwanted. What the wire says of anybody else changes nothing.
class NeighborCache {
  public:
    static constexpr std::size_t kMaxUnwanted = 1024;

    /// `to` is none for everybody.
    using Solicit = std::function<void(const IpAddress& target, const std::optional<MacAddress>& to)>;
    using Report = std::function<void(const UnderlayEvent&)>;

    NeighborCache(const std::vector<Underlay::Neighbor>& fixed, Solicit solicit, Report report);

    void set_wanted(const std::set<IpAddress>& wanted, std::uint64_t now);
    /// The link is new: who is behind the addresses must be asked anew. What was known is used meanwhile.
    void restart(std::uint64_t now);
    /// Asks, and lets expire, whatever is due.
    void tick(std::uint64_t now);
    /// May be too early, never too late; kNever if nothing is to be done.
    [[nodiscard]] std::uint64_t next_deadline() const { return next_deadline_; }

    /// An ARP reply or a Neighbor Advertisement (RFC 4861, section 7.2.5). `mac` none: the one that is known.
    struct Advertisement {
        IpAddress ip;
        std::optional<MacAddress> mac;
        bool solicited = false;
        bool overrides = false;
    };
    /// Both say whether the neighbour is known here.
    bool advertised(const Advertisement& advertisement, std::uint64_t now);
    /// The neighbour sent something else with its addresses in it (RFC 826; RFC 4861, section 7.2.3). If it asked for
    /// us, it is remembered.
    bool heard(const IpAddress& ip, const MacAddress& mac, bool asked_for_us, std::uint64_t now);

    [[nodiscard]] std::optional<MacAddress> mac_of(const IpAddress& ip) const;
    [[nodiscard]] bool is_wanted(const IpAddress& ip) const;
    [[nodiscard]] bool has_failed(const IpAddress& ip) const;
    [[nodiscard]] std::vector<CachedNeighbor> neighbors(std::uint64_t now) const;
    /// The newest for each next hop since the last call; at most one for each that is wanted.
    [[nodiscard]] std::vector<NextHopChange> take_changes();

  private:
    struct Entry {
        NeighborState state = NeighborState::incomplete;
        bool is_wanted = false;
        bool is_alive = false;  ///< as the events have it
        std::optional<MacAddress> mac;
        std::optional<MacAddress> told;  ///< as the changes have it
        unsigned tries = 0;              ///< since it was last heard of
        std::uint64_t heard = 0;
        std::uint64_t asked = 0;
        std::uint64_t deadline = 0;
    };
    using Row = std::map<IpAddress, Entry>::value_type;

    void want(const IpAddress& ip, std::uint64_t now);
    void forget(Row& row, std::uint64_t now);
    [[nodiscard]] bool expire(Row& row, std::uint64_t now);  ///< false: the entry is to go
    void ask(Row& row, bool everybody, std::uint64_t pause, std::uint64_t now);
    void fail(Row& row, std::uint64_t now);
    void confirm(Row& row, std::uint64_t now);
    void doubt(Row& row, std::uint64_t now);
    void settle(Row& row);

    std::map<IpAddress, Entry> entries_;
    std::size_t unwanted_ = 0;  ///< entries that are neither wanted nor fixed
    std::map<IpAddress, std::optional<MacAddress>> changes_;
    std::uint64_t next_deadline_ = kNever;
    Solicit solicit_;
    Report report_;
};

}  // namespace bulkhead
