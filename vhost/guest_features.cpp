// SPDX-License-Identifier: Apache-2.0
#include "vhost/guest_features.h"

#include "vswitch/port_io.h"

namespace bulkhead::vhost {

std::uint64_t refused_features(std::uint16_t queue_pairs, bool packed) {
    // UDP fragmentation: the mbuf flag means UDP segmentation, which is another thing. ECN: no mbuf flag says that only
    // the first segment keeps CWR. An IOMMU makes every frame wait for the guest's answer.
    constexpr std::uint64_t kNotCarried = feature::kGuestUfo | feature::kHostUfo | feature::kGuestEcn |
                                          feature::kHostEcn | feature::kLegacyGso | feature::kAccessPlatform;
    // After a kill nobody knows how far we were in a packed ring; in a split one it stands in the guest's memory.
    return kNotCarried | (queue_pairs == 1 ? feature::kMultiqueue : 0) | (packed ? 0 : feature::kRingPacked);
}

std::uint32_t offloads_of(std::uint64_t features) {
    // librte_vhost sums the IPv4 header itself while it copies, and copies chains.
    std::uint32_t offloads = kOffloadIpv4Checksum | kOffloadMultiSegment;
    if ((features & feature::kGuestCsum) != 0) offloads |= kOffloadL4Checksum;
    if ((features & feature::kGuestTso4) != 0) offloads |= kOffloadTso4;
    if ((features & feature::kGuestTso6) != 0) offloads |= kOffloadTso6;
    return offloads;
}

}  // namespace bulkhead::vhost
