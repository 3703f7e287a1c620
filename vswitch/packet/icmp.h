// SPDX-License-Identifier: Apache-2.0
// ICMP (RFC 792) and ICMPv6 (RFC 4443) with Neighbor Discovery (RFC 4861), as they stand in a packet.
#pragma once

#include <array>
#include <cstdint>

#include "vswitch/packet/big_endian.h"

namespace bulkhead {

inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpUnreachable = 3;
inline constexpr std::uint8_t kIcmpFragmentationNeeded = 4;  ///< a code of it
inline constexpr std::uint8_t kIcmpEchoRequest = 8;
inline constexpr std::uint8_t kIcmpTimestamp = 13;
inline constexpr std::uint8_t kIcmpv6PacketTooBig = 2;
inline constexpr std::uint8_t kIcmpv6EchoRequest = 128;
inline constexpr std::uint8_t kIcmpv6EchoReply = 129;
inline constexpr std::uint8_t kIcmpv6GroupReport = 131;   ///< MLD (RFC 2710, section 3)
inline constexpr std::uint8_t kIcmpv6GroupDone = 132;     ///< likewise
inline constexpr std::uint8_t kIcmpv6GroupReport2 = 143;  ///< MLDv2 (RFC 3810, section 5.2)
inline constexpr std::uint8_t kIcmpv6RouterSolicitation = 133;
inline constexpr std::uint8_t kIcmpv6RouterAdvertisement = 134;
inline constexpr std::uint8_t kIcmpv6NeighborSolicitation = 135;
inline constexpr std::uint8_t kIcmpv6NeighborAdvertisement = 136;
inline constexpr std::uint8_t kIcmpv6Redirect = 137;
inline constexpr std::uint8_t kIcmpv6FirstInformational = 128;  ///< below it are errors (RFC 4443, section 2.1)

/// What all messages of both start with.
struct IcmpHeader {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    BigEndian16 checksum;
};
static_assert(sizeof(IcmpHeader) == 4);

/// An echo's header; identifier and sequence number come back as they were sent.
struct IcmpEchoHeader {
    IcmpHeader icmp;
    BigEndian16 identifier;
    BigEndian16 sequence;
};
static_assert(sizeof(IcmpEchoHeader) == 8);

/// Fragmentation needed (RFC 1191, section 4) and Packet Too Big (RFC 4443, section 3.2); the packet follows. Of the
/// former the MTU's upper half is unused and 0.
struct IcmpTooBigHeader {
    IcmpHeader icmp;
    BigEndian32 mtu;
};
static_assert(sizeof(IcmpTooBigHeader) == 8);

/// Neighbor Solicitation and Advertisement alike (RFC 4861, sections 4.3 and 4.4); options follow.
struct NeighborMessageHeader {
    IcmpHeader icmp;
    BigEndian32 flags;  ///< of an advertisement; reserved in a solicitation
    std::array<std::uint8_t, 16> target{};
};
static_assert(sizeof(NeighborMessageHeader) == 24);

inline constexpr std::uint32_t kNeighborRouter = 0x8000'0000;
inline constexpr std::uint32_t kNeighborSolicited = 0x4000'0000;
inline constexpr std::uint32_t kNeighborOverride = 0x2000'0000;
inline constexpr std::uint8_t kNeighborHopLimit = 255;  ///< what no router lets through from elsewhere

inline constexpr std::uint8_t kNdOptionSourceMac = 1;
inline constexpr std::uint8_t kNdOptionTargetMac = 2;
inline constexpr std::uint8_t kNdOptionUnit = 8;  ///< an option's length is told in these octets

/// Source or Target Link-Layer Address of an Ethernet (RFC 4861, section 4.6.1; RFC 2464, section 6).
struct NdMacOption {
    std::uint8_t type = 0;
    std::uint8_t units = 1;
    std::array<std::uint8_t, 6> mac{};
};
static_assert(sizeof(NdMacOption) == kNdOptionUnit);

}  // namespace bulkhead
