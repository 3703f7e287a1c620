// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bulkhead {
namespace {

void put_place(const AttachmentKey& attachment, std::string& port, std::string& tunnel) {
    if (auto name = tunnel_of_port_name(attachment.port))
        tunnel = std::move(*name);
    else
        port = attachment.port;
}

}  // namespace

void MacNames::learn(const Indices& indices) {
    attachments_.resize(indices.attachments.bound());
    for (const auto& [key, index] : indices.attachments.in_use()) attachments_[index] = key;
    segments_.resize(indices.segments.bound());
    for (const auto& [name, index] : indices.segments.in_use()) segments_[index] = name;
}

bool MacNames::matches(const MacFilter& filter, MacKey key, MacValue value) const {
    const AttachmentKey& attachment = attachments_[value.attachment()];
    return (!filter.segments || filter.segments->contains(attachment.segment)) &&
           (!filter.port || attachment.port == *filter.port) &&
           (!filter.tunnel || attachment.port == port_name_of_tunnel(*filter.tunnel)) &&
           (!filter.mac || mac_of(key) == *filter.mac);
}

std::vector<std::uint16_t> MacNames::ranks() const {
    std::vector<SegmentIndex> by_name(segments_.size());
    std::iota(by_name.begin(), by_name.end(), SegmentIndex{0});
    std::ranges::sort(by_name, {}, [this](SegmentIndex index) -> const std::string& { return segments_[index]; });
    std::vector<std::uint16_t> ranks(segments_.size());
    for (std::uint16_t rank = 0; rank < by_name.size(); ++rank) ranks[by_name[rank]] = rank;
    return ranks;
}

std::vector<MacEntry> MacNames::entries(const MacFilter& filter, const MacRange& range, std::uint32_t now_s) const {
    struct Found {
        std::uint64_t order;  ///< the segment's rank, then the MAC
        MacKey key;
        MacValue value;
    };
    const std::vector<std::uint16_t> rank = ranks();
    std::vector<Found> found;
    const auto is_behind = [&](MacKey key) {
        const auto& [segment, mac] = *range.after;
        const int order = segments_[segment_of(key)].compare(segment);
        return order > 0 || (order == 0 && mac_of(key) > mac);
    };
    const auto keep_first = [&] {
        if (found.size() <= range.limit) return;
        std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(range.limit), {}, &Found::order);
        found.resize(range.limit);
    };
    table_.for_each([&](MacKey key, MacValue value) {
        if ((range.after && !is_behind(key)) || !matches(filter, key, value)) return;
        found.push_back({mac_key(rank[segment_of(key)], mac_of(key).value()), key, value});
        if (found.size() / 2 > range.limit) keep_first();
    });
    keep_first();
    std::ranges::sort(found, {}, &Found::order);

    std::vector<MacEntry> entries;
    entries.reserve(found.size());
    for (const auto& [order, key, value] : found) {
        const AttachmentKey& attachment = attachments_[value.attachment()];
        MacEntry& entry = entries.emplace_back(attachment.segment, mac_of(key));
        put_place(attachment, entry.port, entry.tunnel);
        if (attachment.vlan != 0) entry.vlan = attachment.vlan;
        entry.is_static = value.is_static();
        if (!value.is_static() && now_s > value.seen_s()) entry.age_s = now_s - value.seen_s();
    }
    return entries;
}

std::size_t MacNames::flush(const MacFilter& filter) {
    return table_.erase_if(
        [&](MacKey key, MacValue value) { return !value.is_static() && matches(filter, key, value); });
}

std::size_t MacNames::restore(const std::vector<MacEntry>& entries, const Indices& indices, const Snapshot& snapshot) {
    table_.reserve(entries.size());
    const std::uint32_t now_s = table_.now_s();
    std::size_t restored = 0;
    MacTable::WriteGuard guard(table_);
    for (const MacEntry& entry : entries) {
        const std::string place = entry.tunnel.empty() ? entry.port : port_name_of_tunnel(entry.tunnel);
        const auto segment = indices.segments.find(entry.segment);
        const auto attachment = indices.attachments.find({place, entry.segment, entry.vlan.value_or(0)});
        if (!segment || !attachment || entry.is_static || entry.age_s > now_s) continue;
        const SegmentEntry& limits = snapshot.segments[*segment];
        const MacKey key = mac_key(*segment, entry.mac.value());
        // A secured one has its own addresses from the configuration, and no others.
        if (snapshot.binds_sources(*attachment)) continue;
        if (entry.age_s > limits.mac_age_s || table_.find(key).exists()) continue;
        if (guard.learn(key, *attachment, limits.mac_limit).outcome != MacTable::Learned::added) continue;
        guard.restore(key, MacValue(*attachment, false, now_s - entry.age_s));
        ++restored;
    }
    return restored;
}

MacEvent MacNames::describe(const MacChange& change) const {
    using enum MacTable::Learned;
    MacEvent event;
    event.segment = segments_[segment_of(change.key)];
    event.mac = mac_of(change.key);
    put_place(attachments_[change.attachment], event.port, event.tunnel);
    if (change.outcome == moved || change.outcome == move_limit) {
        event.kind = change.outcome == moved ? MacEvent::Kind::moved : MacEvent::Kind::move_limit;
        put_place(attachments_[change.was], event.from_port, event.from_tunnel);
    } else if (change.outcome != added) {
        event.kind = MacEvent::Kind::limit;
    }
    return event;
}

}  // namespace bulkhead
