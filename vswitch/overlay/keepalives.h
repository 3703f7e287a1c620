// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/overlay/bfd_session.h"
#include "vswitch/overlay/keepalive_frame.h"
#include "vswitch/overlay/next_hops.h"
#include "vswitch/overlay/overlay_state.h"

namespace bulkhead {

/// The BFD sessions of the tunnels that have a keepalive: whose remote node lives, and who has gone. It tells, and cuts
/// nothing: frames go on as ever. A remote that never spoke BFD is not known to be alive, and never said to be dead.
///
/// Reads no clock and holds no thread or device; one thread calls it.
class Keepalives {
  public:
    using Send = std::function<void(PortIndex nic, std::span<const std::uint8_t> frame)>;

    struct Watched {
        std::string tunnel;
        std::string underlay;
        std::uint32_t interval_ms = 0;  ///< 0: not watched
        PortIndex nic = kNoPort;
        NextHopIndex next_hop = 0;
        KeepalivePath path;
    };

    Keepalives(const NextHops& next_hops, Send send);

    /// All tunnels that there are from now on. Whoever was watched and still is keeps its session.
    void adopt(std::vector<Watched> tunnels, std::uint64_t now);

    /// False: the frame is no tunnel's, or of one that is not watched.
    bool receive(PortIndex nic, const LinkFormat& link, std::span<const std::uint8_t> frame, std::uint64_t now);
    void tick(std::uint64_t now);
    [[nodiscard]] std::uint64_t next_deadline() const;

    /// Nothing: not watched, or it never spoke.
    [[nodiscard]] std::optional<bool> is_alive(const std::string& tunnel) const;
    [[nodiscard]] std::vector<TunnelEvent> take_events() { return std::exchange(events_, {}); }

  private:
    struct Entry {
        Watched watched;
        std::optional<bool> told;  ///< as the events have it
        std::unique_ptr<BfdSession> session;
    };

    std::unique_ptr<Entry> make_entry(Watched watched, std::uint64_t now);
    std::uint32_t next_discriminator();
    void send(const Watched& watched, const BfdPacket& packet) const;
    void tell(Entry& entry);

    const NextHops& next_hops_;
    Send send_;
    std::uint32_t last_discriminator_;
    std::map<std::string, std::unique_ptr<Entry>> entries_;        ///< by tunnel
    std::map<std::pair<PortIndex, IpAddress>, Entry*> by_remote_;  ///< as packets come
    std::vector<TunnelEvent> events_;
};

}  // namespace bulkhead
