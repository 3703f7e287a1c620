// SPDX-License-Identifier: Apache-2.0
#include "vswitch/limits/port_limiter.h"

#include <algorithm>

#include <rte_cycles.h>

#include "vswitch/model/snapshot.h"

namespace bulkhead {
namespace {

constexpr double kBytesOfMegabit = 1'000'000.0 / 8, kBytesOfKib = 1024;

void limit_bytes(std::optional<RateLimit>& limit, std::optional<std::uint32_t> mbps, const PortLimits& limits) {
    if (!mbps) return;
    const double bytes = *mbps * kBytesOfMegabit;
    // A worker may be away for milliseconds, where its core is another's, too: a burst has what arrives meanwhile.
    constexpr double kSeconds = 0.01, kLeastKib = 128;
    const double usual = std::max(bytes * kSeconds, kLeastKib * kBytesOfKib);
    limit.emplace(bytes, limits.burst_kib ? *limits.burst_kib * kBytesOfKib : usual,
                  static_cast<double>(rte_get_tsc_hz()));
}

/// What is counted by the piece may come a second's worth at once.
void limit_pieces(std::optional<RateLimit>& limit, std::optional<std::uint32_t> per_second) {
    if (per_second) limit.emplace(*per_second, *per_second, static_cast<double>(rte_get_tsc_hz()));
}

}  // namespace

PortLimiter::PortLimiter(const PortLimits& configured) : limits(configured) {
    limit_bytes(received, limits.rx_mbps, limits);
    limit_bytes(transmitted, limits.tx_mbps, limits);
    limit_pieces(flooded, limits.storm_pps);
    limit_pieces(mac_moves, limits.mac_moves_per_s);
}

void PortLimiters::add_limits(Snapshot& snapshot, const Model& model, const Indices& indices) {
    std::erase_if(limiters_, [&](const auto& entry) { return !model.ports.contains(entry.first); });
    for (const auto& [name, port] : model.ports) {
        if (!port.limits.has_rates()) {
            limiters_.erase(name);
            continue;
        }
        std::shared_ptr<PortLimiter>& limiter = limiters_[name];
        if (limiter == nullptr || limiter->limits != port.limits) limiter = std::make_shared<PortLimiter>(port.limits);
        snapshot.ports[*indices.ports.find(name)].limiter = limiter;
    }
}

}  // namespace bulkhead
