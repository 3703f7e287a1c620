// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_names.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace bulkhead {

void MacNames::learn(const Indices& indices) {
    attachments_.resize(indices.attachments.bound());
    for (const auto& [key, index] : indices.attachments.in_use()) attachments_[index] = key;
    segments_.resize(indices.segments.bound());
    for (const auto& [name, index] : indices.segments.in_use()) segments_[index] = name;
}

std::vector<MacEntry> MacNames::entries(const std::optional<std::string>& segment, std::uint32_t now_s) const {
    std::vector<MacEntry> entries;
    table_.for_each([&](MacKey key, MacValue value) {
        const AttachmentKey& attachment = attachments_[value.attachment()];
        if (segment && attachment.segment != *segment) return;
        MacEntry entry{attachment.segment, mac_of(key), attachment.port, std::nullopt, value.is_static(), 0};
        if (attachment.vlan != 0) entry.vlan = attachment.vlan;
        if (!value.is_static() && now_s > value.seen_s()) entry.age_s = now_s - value.seen_s();
        entries.push_back(std::move(entry));
    });
    std::ranges::sort(entries, [](const MacEntry& a, const MacEntry& b) {
        return std::tie(a.segment, a.mac) < std::tie(b.segment, b.mac);
    });
    return entries;
}

std::size_t MacNames::flush(const std::optional<std::string>& segment, const std::optional<std::string>& port,
                            const std::optional<MacAddress>& mac) {
    return table_.erase_if([&](MacKey key, MacValue value) {
        const AttachmentKey& attachment = attachments_[value.attachment()];
        return !value.is_static() && (!segment || attachment.segment == *segment) &&
               (!port || attachment.port == *port) && (!mac || mac_of(key) == *mac);
    });
}

MacEvent MacNames::describe(const MacChange& change) const {
    using enum MacTable::Learned;
    MacEvent event;
    event.segment = segments_[segment_of(change.key)];
    event.mac = mac_of(change.key);
    event.port = attachments_[change.attachment].port;
    if (change.outcome == moved) {
        event.kind = MacEvent::Kind::moved;
        event.from_port = attachments_[change.was].port;
    } else if (change.outcome != added) {
        event.kind = MacEvent::Kind::limit;
    }
    return event;
}

}  // namespace bulkhead
