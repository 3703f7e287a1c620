// SPDX-License-Identifier: Apache-2.0
// What the switch does by the clock: aging, the workers' news, the underlays.
#include <utility>

#include "vswitch/policy/connection_track.h"
#include "vswitch/switch_impl.h"

namespace bulkhead {
namespace {

/// Aging looks at one part of the table per call of housekeeping(), so an entry goes at most this many seconds late.
constexpr std::size_t kAgingParts = 4;

}  // namespace

void Switch::Impl::age() {
    const std::uint32_t now = settings_.clock_s();
    macs_->set_now(now);
    const std::size_t part = aging_part_++ % kAgingParts;
    if (macs_->size() == statics_.size()) return;
    const Snapshot& snapshot = *snapshots_.read();
    macs_->erase_if(
        [&](MacKey key, MacValue value) {
            // A worker may have seen it after `now` was read.
            const bool older = !value.is_static() && value.seen_s() < now;
            return older && now - value.seen_s() > snapshot.segments[segment_of(key)].mac_age_s;
        },
        part, kAgingParts);
}

void Switch::Impl::end_connections() {
    // What a silent connection keeps longer is a place in the table; look-ups go by the clock themselves.
    constexpr std::size_t kParts = 8;
    const std::size_t part = ending_part_++ % kParts;
    if (connections_->size() == 0) return;
    const std::uint32_t now = settings_.clock_s();
    connections_->erase_if([now](const Connection& connection) { return is_over(connection, now); }, part, kParts);
}

void Switch::Impl::collect_events() {
    std::vector<MacChange> changes;
    for (const auto& worker : workers_) events_.lost += worker->learner().take(changes);
    for (const MacChange& change : changes) {
        events_.events.push_back(names_.describe(change));
        if (change.outcome == MacTable::Learned::moved) ring_watches_.address_moved(change, settings_.clock_ms());
    }
}

void Switch::Impl::serve_underlays() {
    const std::uint64_t now_ms = settings_.clock_ms();
    underlays_.serve(now_ms);
    for (const SegmentIndex segment : ring_watches_.serve(now_ms)) {
        macs_->erase_if([&](MacKey key, MacValue value) {
            return segment_of(key) == segment && !value.is_static() && ring_watches_.is_link(value.attachment());
        });
    }
}

void Switch::housekeeping() {
    impl_->age();
    impl_->end_connections();
}

MacEvents Switch::take_events() {
    impl_->collect_events();
    impl_->macs_->fit();
    return std::exchange(impl_->events_, {});
}

std::vector<PolicyLogEntry> Switch::take_policy_log() {
    return impl_->policy_news_.take(impl_->indices_, impl_->settings_.clock_s());
}

int Switch::underlay_bell() const {
    return impl_->exchange_.bell();
}
void Switch::serve_underlays() {
    impl_->serve_underlays();
}
std::optional<std::uint64_t> Switch::underlay_pause() const {
    const std::uint64_t deadline = impl_->underlays_.next_deadline(), now = impl_->settings_.clock_ms();
    if (deadline == kNever) return std::nullopt;
    return deadline > now ? deadline - now : 0;
}
std::vector<OverlayEvent> Switch::take_overlay_events() {
    return impl_->underlays_.take_events();
}
std::vector<TunnelEvent> Switch::take_tunnel_events() {
    return impl_->underlays_.take_tunnel_events();
}
std::vector<RingEvent> Switch::take_ring_events() {
    return impl_->ring_watches_.take_events();
}

}  // namespace bulkhead
