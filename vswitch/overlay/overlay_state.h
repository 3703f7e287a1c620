// SPDX-License-Identifier: Apache-2.0
// What the data path knows of the overlay, as control shows it: everything by name and in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/overlay/underlay_event.h"

namespace bulkhead {

/// One neighbour of an underlay, or one of its own addresses that somebody else answers for.
struct NeighborInfo {
    IpAddress ip;
    std::optional<MacAddress> mac;  ///< none: it has not answered
    std::string state;              ///< "static", "reachable", "stale", "probing" or "failed"
    std::uint32_t age_s = 0;        ///< since it was last confirmed; 0 for static ones
    bool is_duplicate = false;      ///< `ip` is this node's own, and `mac` claims it too (RFC 5227, RFC 4862)
};

/// How a tunnel's frames leave.
struct TunnelState {
    std::optional<IpAddress> next_hop;  ///< the remote itself, or a gateway
    std::optional<MacAddress> next_hop_mac;
    bool resolved = false;
    std::optional<bool> alive;     ///< by its keepalive; nothing: there is none, or the remote never answered one
    std::vector<std::string> cut;  ///< segments that it carries nothing of, because it would close a ring
};

/// What a tunnel's keepalive has found out.
struct TunnelEvent {
    std::string tunnel;
    std::string underlay;
    IpAddress remote;
    bool is_alive = false;
};

/// A ring of spokes in a segment.
struct RingEvent {
    enum class Kind : std::uint8_t {
        suspected,  ///< frames of the segment came round by `tunnel`
        cut,        ///< this node carries nothing of the segment by `tunnel` any more
        lifted,     ///< it does again: the ring has been mended elsewhere
    };
    Kind kind = Kind::suspected;
    std::string segment;
    std::string tunnel;
};

/// Something that was seen on an underlay.
struct OverlayEvent {
    std::string underlay;
    UnderlayEvent event;
};

}  // namespace bulkhead
