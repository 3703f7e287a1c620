// SPDX-License-Identifier: Apache-2.0
// What a tunnel puts in front of a frame: Ethernet, an optional VLAN tag, IPv4 (RFC 791) or IPv6 (RFC 8200), UDP, and
// VXLAN (RFC 7348, section 5) or Geneve (RFC 8926, section 3.4). Prebuilt once a tunnel; four fields differ by frame.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/sender_group.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

/// The VNI that keepalives travel in. RFC 8971, section 6, leaves its value to the operator: 0, since that of a segment
/// is 1 at least, so no segment's frames can be taken for a keepalive or the other way round; and since Open vSwitch
/// uses it for its own BFD.
inline constexpr std::uint32_t kManagementVni = 0;
inline constexpr std::uint8_t kGeneveControl = 0x80, kGeneveCritical = 0x40;
inline constexpr std::uint16_t kTransEthernet = 0x6558;  ///< Geneve's protocol type of Ethernet frames
/// RFC 6335, section 6: where source ports are chosen from. The remote's NIC spreads flows by them.
inline constexpr std::uint16_t kEphemeralPorts = 0xc000;

struct OuterHeader {
    static constexpr std::uint16_t kRoom = 80;  ///< the longest, 74, rounded up to whole vectors
    static constexpr std::uint16_t kRoomWithOptions = kRoom + kGroupOption;
    /// Its last `length` octets are the header, so that every field stands at a fixed distance from the inner frame.
    alignas(16) std::array<std::uint8_t, kRoom> octets{};
    std::uint16_t length = 0;  ///< without options
    bool is_v4 = true;
    std::uint32_t ipv4_sum = 0;  ///< of the IPv4 header as it stands in `octets`: without length and checksum

    struct Ends {
        MacAddress source;
        std::optional<std::uint16_t> vlan;
        IpAddress local;
        IpAddress remote;
    };
    /// The destination MAC is left zero: the next hop may change.
    [[nodiscard]] static OuterHeader build(const Tunnel& tunnel, const Ends& ends);
};

/// What differs from frame to frame.
struct OuterFields {
    std::uint64_t destination = 0;   ///< MAC of the next hop
    std::uint16_t frame_length = 0;  ///< of the inner frame, and of the options before it
    std::uint32_t vni = 0;
    std::uint32_t flow_hash = 0;
    std::uint8_t traffic_class = 0;  ///< DSCP and ECN, in their place of the TOS octet
};

/// Writes the header before `inner`, the frame or the options before it, where there is room for kRoom octets. The UDP
/// checksum is zero.
inline void write_outer(const OuterHeader& header, std::uint8_t* inner, const OuterFields& fields) noexcept {
    // One cache line before the frame, where the header is no longer than that.
    constexpr std::uint16_t kLine = 64;
    if (header.length <= kLine) [[likely]]
        std::memcpy(inner - kLine, header.octets.data() + OuterHeader::kRoom - kLine, kLine);
    else
        std::memcpy(inner - OuterHeader::kRoom, header.octets.data(), OuterHeader::kRoom);
    store_mac(inner - header.length, fields.destination);
    const std::uint32_t vni = __builtin_bswap32(fields.vni << 8);
    std::memcpy(inner - 4, &vni, sizeof vni);
    const auto udp_length = static_cast<std::uint16_t>(kUdpHeader + kShimHeader + fields.frame_length);
    std::uint8_t* const udp = inner - kShimHeader - kUdpHeader;
    store_big_endian16(udp, static_cast<std::uint16_t>(kEphemeralPorts | (fields.flow_hash >> 18)));
    store_big_endian16(udp + 4, udp_length);
    if (header.is_v4) [[likely]] {
        std::uint8_t* const ip = udp - kIpv4Header;
        const std::uint32_t length = static_cast<std::uint32_t>(kIpv4Header + udp_length);
        std::uint32_t sum = header.ipv4_sum + length + fields.traffic_class;
        sum = (sum & 0xffff) + (sum >> 16);
        sum += sum >> 16;
        ip[1] = fields.traffic_class;
        store_big_endian16(ip + 2, static_cast<std::uint16_t>(length));
        store_big_endian16(ip + 10, static_cast<std::uint16_t>(~sum));
    } else {
        // The flow label spreads flows, too (RFC 6438, section 3).
        std::uint8_t* const ip = udp - kIpv6Header;
        const std::uint32_t first = __builtin_bswap32(
            6U << 28 | static_cast<std::uint32_t>(fields.traffic_class) << 20 | (fields.flow_hash & 0xf'ffff));
        std::memcpy(ip, &first, sizeof first);
        store_big_endian16(ip + 4, udp_length);
    }
}

}  // namespace bulkhead
