// SPDX-License-Identifier: Apache-2.0
// The frame of frame.h for those who look further than the Ethernet header: addresses and ports differ from one to the
// next, and its IPv4 checksum is sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <rte_mbuf.h>

#include "perf/rig/frame.h"

namespace bulkhead::rig {

/// What differs.
struct FlowHeader {
    Header ethernet;
    std::uint32_t source = 0, destination = 0;  ///< IPv4
    std::uint16_t source_port = 0, port = 0;    ///< UDP
};

class FlowFrame {
  public:
    using Header = FlowHeader;
    static constexpr std::uint16_t kBytes = Frame<false>::kBytes;

    /// As Frame::write().
    void write(rte_mbuf* frame, const FlowHeader& header) const noexcept {
        plain_.write(frame, header.ethernet);
        std::uint8_t* const ip = rte_pktmbuf_mtod(frame, std::uint8_t*) + kEthernetHeader;
        store_big_endian16(ip + kChecksum, checksum(header));
        const std::uint64_t addresses =
            __builtin_bswap64(static_cast<std::uint64_t>(header.source) << 32 | header.destination);
        const std::uint32_t ports =
            __builtin_bswap32(static_cast<std::uint32_t>(header.source_port) << 16 | header.port);
        std::memcpy(ip + kAddresses, &addresses, sizeof addresses);
        std::memcpy(ip + kAddresses + sizeof addresses, &ports, sizeof ports);
    }

  private:
    static constexpr std::size_t kChecksum = 10, kAddresses = 12;  ///< within the IPv4 header (RFC 791)

    /// RFC 1071, of a header that has only its addresses to be added.
    static std::uint16_t checksum(const FlowHeader& header) noexcept {
        constexpr std::uint32_t kOthers = 0x4500 + (kFrameBytes - kEthernetHeader) + (64 << 8 | 17);
        std::uint32_t sum = kOthers + (header.source >> 16) + (header.source & 0xffff) + (header.destination >> 16) +
                            (header.destination & 0xffff);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum);
    }

    Frame<false> plain_;
};

}  // namespace bulkhead::rig
