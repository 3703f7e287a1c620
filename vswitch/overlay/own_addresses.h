// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/overlay/deadline.h"
#include "vswitch/overlay/underlay_event.h"

namespace bulkhead {

/// Asks the link whether the node's addresses are taken, then announces them: IPv4 by RFC 5227, IPv6 by RFC 4862 and
/// RFC 4861, section 7.2.6. The addresses are in use all the while: a duplicate is reported, and defended against as
/// RFC 5227, section 2.4 (c) says. Nobody can take a configured address from the node by claiming it.
class OwnAddresses {
  public:
    enum class Say : std::uint8_t { probe, announcement };
    using Send = std::function<void(const IpAddress& address, Say what)>;
    using Report = std::function<void(const UnderlayEvent&)>;

    struct State {
        IpAddress ip;
        bool is_tentative = false;        ///< not announced yet
        std::optional<MacAddress> rival;  ///< who also speaks as its owner
        std::uint64_t rival_heard = 0;    ///< when
    };

    /// `mac` spreads the probes of nodes that start together.
    OwnAddresses(const std::vector<IpAddress>& addresses, const MacAddress& mac, Send send, Report report);

    void restart(std::uint64_t now);
    void tick(std::uint64_t now);
    [[nodiscard]] std::uint64_t next_deadline() const;

    /// `rival` sent a packet as the owner of `address`, which is ours.
    void claimed(const IpAddress& address, const MacAddress& rival, std::uint64_t now);
    /// `rival` asks whether `address` is free. That is a claim as long as we ask the same.
    void probed(const IpAddress& address, const MacAddress& rival, std::uint64_t now);

    [[nodiscard]] std::vector<State> states() const;

  private:
    struct Own {
        IpAddress ip;
        unsigned step = 0;  ///< probes and announcements sent
        std::uint64_t deadline = kNever;
        std::optional<MacAddress> rival;
        std::uint64_t rival_heard = 0;
        std::uint64_t reported = 0;  ///< when; meaningful with a rival
    };

    void advance(Own& own, std::uint64_t now);
    [[nodiscard]] Own* find(const IpAddress& address);

    std::vector<Own> owned_;
    MacAddress mac_;
    Send send_;
    Report report_;
};

}  // namespace bulkhead
