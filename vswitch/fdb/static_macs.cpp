// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/static_macs.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace bulkhead {

namespace {

std::string port_of(const StaticMac& entry) {
    return entry.tunnel.empty() ? entry.port : port_name_of_tunnel(entry.tunnel);
}

}  // namespace

StaticMacs::Entries StaticMacs::wanted(const Model& model, const Indices& indices) {
    Entries entries;
    std::map<std::pair<std::string, std::string>, AttachmentIndex> by_port_and_segment;
    for (const auto& [name, port] : model.ports) {
        for (const Attachment& attachment : port.attachments) {
            const SegmentIndex segment = *indices.segments.find(attachment.segment);
            const AttachmentIndex index = *indices.attachments.find(key_of(name, attachment));
            for (const MacAddress& mac : attachment.macs) entries[mac_key(segment, mac.value())] = index;
        }
    }
    for_each_attachment(model, [&](const AttachmentKey& key) {
        by_port_and_segment.try_emplace({key.port, key.segment}, *indices.attachments.find(key));
    });
    for (const auto& [key, entry] : model.static_macs)
        if (const auto at = by_port_and_segment.find({port_of(entry), entry.segment}); at != by_port_and_segment.end())
            entries[mac_key(*indices.segments.find(entry.segment), entry.mac.value())] = at->second;
    return entries;
}

Result<> StaticMacs::replace(Entries wanted) {
    table_.reserve(wanted.size() - std::min(wanted.size(), placed_.size()));
    MacTable::WriteGuard guard(table_);
    std::vector<std::pair<MacKey, MacValue>> before;
    for (const auto& [key, index] : wanted) {
        if (const auto present = placed_.find(key); present != placed_.end() && present->second == index) continue;
        before.emplace_back(key, table_.find(key));
        if (guard.place(key, index)) continue;
        before.pop_back();
        for (const auto& [changed, value] : before) guard.restore(changed, value);
        return failure({.code = ErrorCode::limit,
                        .message = "the MAC table has no room for a static entry",
                        .field = "/macs",
                        .got = mac_of(key).to_string()});
    }
    for (const auto& [key, index] : placed_)
        if (!wanted.contains(key)) guard.erase(key);
    placed_ = std::move(wanted);
    return {};
}

std::size_t StaticMacs::size(SegmentIndex segment) const {
    // The MAC fills the key's low bits, so a segment's entries stand side by side.
    const auto first = placed_.lower_bound(mac_key(segment, 0));
    const auto last = placed_.upper_bound(mac_key(segment, MacAddress(~0ULL).value()));
    return static_cast<std::size_t>(std::distance(first, last));
}

}  // namespace bulkhead
