// SPDX-License-Identifier: Apache-2.0
#include "vhost/guest_features.h"

#include "vswitch/port_io.h"

namespace bulkhead::vhost {

std::uint64_t refused_features(std::uint16_t queue_pairs, bool packed, const GuestOffloads& offloads) {
    // UDP fragmentation: the mbuf flag means UDP segmentation, which is another thing. ECN: no mbuf flag says that only
    // the first segment keeps CWR. An IOMMU makes every frame wait for the guest's answer.
    constexpr std::uint64_t kNotCarried = feature::kGuestUfo | feature::kHostUfo | feature::kGuestEcn |
                                          feature::kHostEcn | feature::kLegacyGso | feature::kAccessPlatform;
    std::uint64_t refused = kNotCarried;
    // After a kill nobody knows how far we were in a packed ring; in a split one it stands in the guest's memory.
    if (!packed) refused |= feature::kRingPacked;
    if (queue_pairs == 1) refused |= feature::kMultiqueue;
    if (!offloads.checksum) refused |= feature::kCsum | feature::kGuestCsum;
    if (!offloads.tso4) refused |= feature::kHostTso4 | feature::kGuestTso4;
    if (!offloads.tso6) refused |= feature::kHostTso6 | feature::kGuestTso6;
    return refused;
}

std::uint32_t offloads_of(std::uint64_t features) {
    // librte_vhost sums the IPv4 header itself while it copies, and copies chains.
    std::uint32_t offloads = kOffloadIpv4Checksum | kOffloadMultiSegment;
    if ((features & feature::kGuestCsum) != 0) offloads |= kOffloadL4Checksum;
    if ((features & feature::kGuestTso4) != 0) offloads |= kOffloadTso4;
    if ((features & feature::kGuestTso6) != 0) offloads |= kOffloadTso6;
    return offloads;
}

std::uint32_t allowed_offloads(const GuestOffloads& offloads) {
    std::uint32_t allowed = kOffloadIpv4Checksum | kOffloadMultiSegment;
    if (offloads.checksum) allowed |= kOffloadL4Checksum;
    if (offloads.tso4) allowed |= kOffloadTso4;
    if (offloads.tso6) allowed |= kOffloadTso6;
    return allowed;
}

}  // namespace bulkhead::vhost
