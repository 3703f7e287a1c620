// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/underlay_routes.h"

#include <algorithm>
#include <utility>

namespace bulkhead {

UnderlayRoutes::UnderlayRoutes(std::vector<IpPrefix> addresses, std::vector<IpAddress> gateways,
                               std::vector<IpAddress> neighbors)
    : addresses_(std::move(addresses)), gateways_(std::move(gateways)), neighbors_(std::move(neighbors)) {}

bool UnderlayRoutes::owns(const IpAddress& address) const {
    return std::ranges::find(addresses_, address, &IpPrefix::address) != addresses_.end();
}

bool UnderlayRoutes::is_on_link(const IpAddress& address) const {
    return std::ranges::any_of(addresses_, [&](const IpPrefix& own) { return own.contains(address); }) ||
           std::ranges::find(neighbors_, address) != neighbors_.end();
}

std::optional<IpAddress> UnderlayRoutes::next_hop(const IpAddress& remote) const {
    if (owns(remote)) return std::nullopt;
    if (is_on_link(remote)) return remote;
    const auto gateway = std::ranges::find(gateways_, remote.is_v4(), &IpAddress::is_v4);
    return gateway == gateways_.end() ? std::nullopt : std::optional(*gateway);
}

std::optional<IpAddress> UnderlayRoutes::source_for(const IpAddress& neighbor) const {
    const IpPrefix* best = nullptr;
    bool best_is_near = false;
    for (const IpPrefix& own : addresses_) {
        if (own.address.is_v4() != neighbor.is_v4()) continue;
        const bool is_near = own.contains(neighbor);
        if (best == nullptr || (is_near && (!best_is_near || own.length > best->length))) {
            best = &own;
            best_is_near = is_near;
        }
    }
    return best == nullptr ? std::nullopt : std::optional(best->address);
}

}  // namespace bulkhead
