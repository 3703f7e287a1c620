// SPDX-License-Identifier: Apache-2.0
// What we offer a guest, and what its answer lets us hand over unfinished.
#pragma once

#include <cstdint>

#include "vswitch/model/model.h"

namespace bulkhead::vhost {

/// Bits of virtio 1.1, sections 5.1.3 and 6 (linux/virtio_net.h has them too, but is no C++).
namespace feature {
inline constexpr std::uint64_t kCsum = 1ULL << 0;  ///< what the guest may leave to us; kGuest…: what we may leave to it
inline constexpr std::uint64_t kGuestCsum = 1ULL << 1;
inline constexpr std::uint64_t kLegacyGso = 1ULL << 6;  ///< before virtio 1.0: all of HOST_TSO4, TSO6, ECN and UFO
inline constexpr std::uint64_t kGuestTso4 = 1ULL << 7;
inline constexpr std::uint64_t kGuestTso6 = 1ULL << 8;
inline constexpr std::uint64_t kGuestEcn = 1ULL << 9;
inline constexpr std::uint64_t kGuestUfo = 1ULL << 10;
inline constexpr std::uint64_t kHostTso4 = 1ULL << 11;
inline constexpr std::uint64_t kHostTso6 = 1ULL << 12;
inline constexpr std::uint64_t kHostEcn = 1ULL << 13;
inline constexpr std::uint64_t kHostUfo = 1ULL << 14;
inline constexpr std::uint64_t kMergeableBuffers = 1ULL << 15;
inline constexpr std::uint64_t kMultiqueue = 1ULL << 22;
inline constexpr std::uint64_t kLogAll = 1ULL << 26;  ///< vhost-user.rst: VHOST_F_LOG_ALL, set while a guest migrates
inline constexpr std::uint64_t kProtocolFeatures = 1ULL << 30;  ///< vhost-user.rst: VHOST_USER_F_PROTOCOL_FEATURES
inline constexpr std::uint64_t kVersion1 = 1ULL << 32;
inline constexpr std::uint64_t kAccessPlatform = 1ULL << 33;  ///< an IOMMU between the device and the guest's memory
inline constexpr std::uint64_t kRingPacked = 1ULL << 34;
}  // namespace feature

/// Features librte_vhost would offer and we don't carry through the switch, or that this port shall not have.
[[nodiscard]] std::uint64_t refused_features(std::uint16_t queue_pairs, bool packed, const GuestOffloads& offloads);

/// TransmitOffload bits (port_io.h) of a guest that negotiated `features`.
[[nodiscard]] std::uint32_t offloads_of(std::uint64_t features);

/// TransmitOffload bits that a port's configuration allows.
[[nodiscard]] std::uint32_t allowed_offloads(const GuestOffloads& offloads);

/// With no guest nothing is delivered, so nothing is worth finishing in software first.
inline constexpr std::uint32_t kAllOffloads = 0x1f;

}  // namespace bulkhead::vhost
