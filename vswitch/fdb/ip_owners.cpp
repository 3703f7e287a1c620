// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/ip_owners.h"

#include <bit>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/packet/ethernet.h"

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
    constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15ULL;  // 2^64 divided by the golden ratio
    const auto high = load_big_endian<std::uint64_t>(ip.octets().data());
    const auto low = load_big_endian<std::uint64_t>(ip.octets().data() + sizeof high);
    std::uint64_t hash = (high ^ segment) * kOdd;
    hash = (hash ^ hash >> 32 ^ low) * kOdd;
    hash = (hash ^ hash >> 32) * kOdd;  // upper bits depend on all, which lower ones don't
    const std::size_t last = slots_.size() - 1;
    std::size_t place = hash >> 32 & last;
    while (slots_[place].segment != 0 && (slots_[place].segment != segment || slots_[place].ip != ip))
        place = (place + 1) & last;
    return place;
}

}  // namespace bulkhead
