// SPDX-License-Identifier: Apache-2.0
// The shortest UDP datagram over IPv4, sound down to its checksums, as net_pcap would replay it: 60 bytes, or 64 with a
// VLAN tag. Only the Ethernet header differs from frame to frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <rte_mbuf.h>
#include <rte_memcpy.h>

#include "vswitch/packet/ethernet.h"

namespace bulkhead::rig {

/// What differs.
struct Header {
    std::uint64_t destination = 0, source = 0;
    std::uint16_t vlan = 0;  ///< of a tagged frame
};

inline constexpr std::size_t kFrameBytes = 60;  ///< the shortest, its checksum not counted (IEEE 802.3, 3.2.8)

/// RFC 1071.
[[nodiscard]] constexpr std::uint16_t internet_checksum(const std::uint8_t* bytes, std::size_t count) noexcept {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < count; at += 2) sum += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

template <bool kTagged>
class Frame {
  public:
    using Header = rig::Header;
    static constexpr std::uint16_t kBytes = kFrameBytes + (kTagged ? kVlanTag : 0);

    constexpr Frame() {
        std::size_t at = kMacPair;
        if (kTagged) {
            put16(at, kEtherTypeVlan);
            at += kVlanTag;
        }
        put16(at, kEtherTypeIpv4);
        put_ip(at + 2);
    }

    /// Makes `frame`, which is fresh from its pool, a copy with that header.
    void write(rte_mbuf* frame, const rig::Header& header) const noexcept {
        frame->data_len = kBytes;
        frame->pkt_len = kBytes;
        copy_to(rte_pktmbuf_mtod(frame, std::uint8_t*), header);
    }
    void copy_to(std::uint8_t* data, const rig::Header& header) const noexcept {
        rte_memcpy(data, bytes_.data(), kBytes);
        const std::uint64_t first = __builtin_bswap64(header.destination << 16 | header.source >> 32);
        const std::uint32_t last = __builtin_bswap32(static_cast<std::uint32_t>(header.source));
        std::memcpy(data, &first, sizeof first);
        std::memcpy(data + sizeof first, &last, sizeof last);
        if constexpr (kTagged) store_big_endian16(data + kMacPair + 2, header.vlan);
    }

  private:
    constexpr void put16(std::size_t at, std::uint16_t value) {
        bytes_[at] = static_cast<std::uint8_t>(value >> 8);
        bytes_[at + 1] = static_cast<std::uint8_t>(value);
    }
    constexpr void put_ip(std::size_t at) {
        constexpr std::uint16_t kIpHeader = 20, kIpBytes = kFrameBytes - kEthernetHeader, kPort = 1024;
        put16(at, 0x4500);
        put16(at + 2, kIpBytes);
        put16(at + 8, 64 << 8 | 17);  // time to live, UDP
        put16(at + 12, 0x0a00);       // 10.0.0.1 to 10.128.0.1
        put16(at + 14, 1);
        put16(at + 16, 0x0a80);
        put16(at + 18, 1);
        put16(at + 10, internet_checksum(bytes_.data() + at, kIpHeader));
        put16(at + 20, kPort);
        put16(at + 22, kPort);
        put16(at + 24, kIpBytes - kIpHeader);  // the checksum stays 0: none (RFC 768)
    }

    alignas(64) std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace bulkhead::rig
