// SPDX-License-Identifier: Apache-2.0
// The header that a TAP with IFF_VNET_HDR puts before each frame, and the transmit flags of port_io.h: the same
// requests in two languages. Pure functions over one frame. Source: OASIS virtio 1.2, section 5.1.6 (struct
// virtio_net_hdr); Linux include/linux/virtio_net.h for what kernels send.
#pragma once

#include <cstddef>
#include <cstdint>

struct rte_mbuf;

namespace bulkhead {

/// The legacy header without num_buffers, in host byte order (little-endian, as TUNSETVNETLE has it). Lengths in bytes.
/// (linux/virtio_net.h has a field named `class`, so C++ cannot read it.)
struct VnetHeader {
    enum Flags : std::uint8_t { needs_csum = 1, data_valid = 2 };
    enum GsoType : std::uint8_t { gso_none = 0, gso_tcp4 = 1, gso_udp = 3, gso_tcp6 = 4, gso_ecn = 0x80 };

    std::uint8_t flags = 0;
    std::uint8_t gso_type = gso_none;  ///< gso_ecn is a bit beside the others
    std::uint16_t hdr_len = 0;         ///< a hint: not believed
    std::uint16_t gso_size = 0;        ///< payload of one segment
    std::uint16_t csum_start = 0;      ///< from the start of the frame
    std::uint16_t csum_offset = 0;     ///< from csum_start
};
inline constexpr std::size_t kVnetHeaderBytes = 10;
static_assert(sizeof(VnetHeader) == kVnetHeaderBytes);

/// Translates the header of a received frame into transmit flags and l2_len, l3_len, l4_len, tso_segsz. A checksum that
/// no flag of ours describes (inside a tunnel, say) is finished on the spot. Returns false when the request does not
/// fit the frame; the frame is then fit for nothing but freeing. The frame's headers must be in its first segment;
/// ol_flags must hold no TX flags yet.
[[nodiscard]] bool apply_vnet_header(const VnetHeader& header, rte_mbuf& frame) noexcept;

/// The header for a frame that goes out. A pending IPv4 header checksum cannot be said in it; see finish_ipv4_header.
[[nodiscard]] VnetHeader build_vnet_header(const rte_mbuf& frame) noexcept;

inline constexpr std::size_t kMaxFinishedHeaders = 128;

/// Copies the frame's Ethernet and IPv4 headers, and sets the checksum of the latter in the copy (the frame itself may
/// be shared). Returns how many bytes of the frame the copy replaces, or 0 when nothing is pending or the lengths lie.
[[nodiscard]] std::size_t finish_ipv4_header(const rte_mbuf& frame,
                                             unsigned char (&copy)[kMaxFinishedHeaders]) noexcept;

}  // namespace bulkhead
