// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "vswitch/base/ip_address.h"

namespace bulkhead {

/// Which neighbour a packet of this node goes to, and which of its addresses speaks to a neighbour.
class UnderlayRoutes {
  public:
    /// `neighbors` are on the link whatever the networks of `addresses` are.
    UnderlayRoutes(std::vector<IpPrefix> addresses, std::vector<IpAddress> gateways, std::vector<IpAddress> neighbors);

    [[nodiscard]] bool owns(const IpAddress& address) const;
    [[nodiscard]] bool is_on_link(const IpAddress& address) const;
    /// `remote` itself if it is on the link, else the gateway of its family; none without one, and for an own address.
    [[nodiscard]] std::optional<IpAddress> next_hop(const IpAddress& remote) const;
    /// Of the longest network that `neighbor` is in, else the first of its family; none without one.
    [[nodiscard]] std::optional<IpAddress> source_for(const IpAddress& neighbor) const;

  private:
    std::vector<IpPrefix> addresses_;
    std::vector<IpAddress> gateways_;
    std::vector<IpAddress> neighbors_;
};

}  // namespace bulkhead
