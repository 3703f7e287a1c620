// SPDX-License-Identifier: Apache-2.0
// Ethernet and VLAN headers as they stand in a frame (IEEE 802.3 clause 3, IEEE 802.1Q-2018 clause 9).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace bulkhead {

inline constexpr std::uint16_t kEthernetHeader = 14;
inline constexpr std::uint16_t kMacPair = 12;  ///< both addresses, which precede every tag
inline constexpr std::uint16_t kVlanTag = 4;
inline constexpr std::uint16_t kShortestFrame = 60;  ///< IEEE 802.3 clause 4.2.3.3, less the frame check sequence

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeReverseArp = 0x8035;  ///< RFC 903
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;         ///< C-tag
inline constexpr std::uint16_t kEtherTypeServiceVlan = 0x88a8;  ///< S-tag, IEEE 802.1ad
inline constexpr std::uint16_t kEtherTypeQinQ = 0x9100;         ///< S-tag of older equipment

static_assert(std::endian::native == std::endian::little, "the big-endian loads below swap");

template <typename Unsigned>
[[nodiscard]] inline Unsigned load_big_endian(const std::uint8_t* at) noexcept {
    Unsigned value;
    std::memcpy(&value, at, sizeof value);
    if constexpr (sizeof value == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof value == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

inline void store_big_endian16(std::uint8_t* at, std::uint16_t value) noexcept {
    value = __builtin_bswap16(value);
    std::memcpy(at, &value, sizeof value);
}

/// `mac` as a number, the first octet highest.
inline void store_mac(std::uint8_t* at, std::uint64_t mac) noexcept {
    const std::uint32_t upper = __builtin_bswap32(static_cast<std::uint32_t>(mac >> 16));
    std::memcpy(at, &upper, sizeof upper);
    store_big_endian16(at + 4, static_cast<std::uint16_t>(mac));
}

[[nodiscard]] constexpr bool is_vlan_ethertype(std::uint16_t type) noexcept {
    return type == kEtherTypeVlan || type == kEtherTypeServiceVlan || type == kEtherTypeQinQ;
}

/// The reserved link-local group addresses 01-80-C2-00-00-00 … 0F (IEEE 802.1Q-2018, table 8-1).
inline constexpr std::uint64_t kReservedMulticast = 0x0180'c200'0000ULL;
[[nodiscard]] constexpr bool is_reserved_multicast(std::uint64_t mac) noexcept {
    return (mac & 0xffff'ffff'fff0ULL) == kReservedMulticast;
}

[[nodiscard]] constexpr bool is_multicast(std::uint64_t mac) noexcept {
    return (mac >> 40 & 1) != 0;
}

}  // namespace bulkhead
