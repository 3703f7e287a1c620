// SPDX-License-Identifier: Apache-2.0
// The MAC address of a station by its number: no table of a million addresses is kept, so none has to be read.
#pragma once

#include <cstdint>

namespace bulkhead::rig {

inline constexpr std::uint32_t kStationBits = 20;  ///< of a side and segment
inline constexpr std::uint32_t kSegmentBits = 12;

/// `side` is the port behind which the station is. Locally administered, unicast (IEEE 802-2014, 8.2.2).
[[nodiscard]] constexpr std::uint64_t station_mac(std::uint8_t side, std::uint32_t segment,
                                                  std::uint32_t station) noexcept {
    return 0x02ULL << 40 | std::uint64_t{side} << 32 | segment << kStationBits | station;
}

inline constexpr std::uint64_t kBroadcast = 0xffff'ffff'ffffULL;

}  // namespace bulkhead::rig
