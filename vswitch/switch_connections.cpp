// SPDX-License-Identifier: Apache-2.0
// Open connections, for who asks about them or wants them gone.
#include "vswitch/policy/connection_names.h"
#include "vswitch/switch_impl.h"

namespace bulkhead {

ConnectionReport Switch::connections(const ConnectionFilter& filter, std::size_t from, std::size_t limit) const {
    const std::uint32_t now_s = impl_->settings_.clock_s();
    const ConnectionTable& table = *impl_->connections_;
    const ConnectionMatch matches(filter, impl_->indices_, now_s);
    const ConnectionNames names(impl_->indices_, *impl_->snapshots_.read(), now_s);
    ConnectionReport report{.connections = {}, .open = table.size(), .capacity = table.capacity()};
    const auto visit = [&](std::size_t place, const Connection& connection) {
        if (matches(connection)) report.connections.push_back(names.describe(place, connection));
        return report.connections.size() < limit;
    };
    table.for_each(visit, from);
    return report;
}

std::size_t Switch::flush_connections(const ConnectionFilter& filter) {
    const ConnectionMatch matches(filter, impl_->indices_, impl_->settings_.clock_s());
    const std::size_t flushed = impl_->connections_->erase_if(matches, 0, 1);
    // Only now does no worker remember any more by a connection that is gone.
    if (flushed > 0) impl_->fragments_.forget_all();
    return flushed;
}

}  // namespace bulkhead
