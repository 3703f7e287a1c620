// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/ip_owners.h"

#include <bit>
#include <cstring>

#include <rte_hash_crc.h>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"

namespace bulkhead {
namespace {

/// Calls `visit(segment, entry)` for the static entries of segments that want their addresses answered for.
template <typename Visit>
void for_each_owner(const Model& model, const Indices& indices, Visit visit) {
    for (const auto& [name, segment] : model.segments) {
        if (!segment.arp_suppression) continue;
        const SegmentIndex index = *indices.segments.find(name);
        // They are in the order of (segment, MAC).
        for (auto at = model.static_macs.lower_bound({name, MacAddress()});
             at != model.static_macs.end() && at->first.first == name; ++at)
            visit(index, at->second);
    }
}

}  // namespace

IpOwners::IpOwners(const Model& model, const Indices& indices) {
    std::size_t count = 0;
    for_each_owner(model, indices, [&count](SegmentIndex, const StaticMac& entry) { count += entry.ips.size(); });
    if (count == 0) return;
    slots_.resize(std::bit_ceil(2 * count));
    for_each_owner(model, indices, [this](SegmentIndex segment, const StaticMac& entry) {
        for (const IpAddress& ip : entry.ips)
            slots_[place_of(segment, ip)] = {.ip = ip, .mac = entry.mac, .segment = segment};
    });
}

std::optional<MacAddress> IpOwners::find(SegmentIndex segment, const IpAddress& ip) const noexcept {
    if (is_empty()) return std::nullopt;
    const Slot& slot = slots_[place_of(segment, ip)];
    return slot.segment == 0 ? std::nullopt : std::optional(slot.mac);
}

std::size_t IpOwners::place_of(SegmentIndex segment, const IpAddress& ip) const noexcept {
    std::uint64_t words[2];
    std::memcpy(words, ip.octets().data(), sizeof words);
    const std::uint32_t hash = rte_hash_crc_8byte(words[1], rte_hash_crc_8byte(words[0], segment));
    const std::size_t last = slots_.size() - 1;
    std::size_t place = hash & last;
    while (slots_[place].segment != 0 && (slots_[place].segment != segment || slots_[place].ip != ip))
        place = (place + 1) & last;
    return place;
}

}  // namespace bulkhead
