// SPDX-License-Identifier: Apache-2.0
// librte_vhost 22.11 writes into the frames it copies to a guest: a fresh pseudo-header sum, and the IPv4 checksum. A
// frame that other ports hold too must not change; and the sum it writes for a TCP super-segment leaves the length out
// (as NICs want it; rte_net.h, rte_net_intel_cksum_flags_prepare), which a guest that forwards the frame would pass on
// as a wrong checksum (virtio 1.1, section 5.1.6.4: the guest relies on it). Behind IPv6 extension headers it sums
// their bytes and their number instead of the payload's. All are avoided by giving it a chain whose first segment is
// our own copy of the Ethernet and IP headers and ends there: it then leaves the L4 header, in the next segment, as it
// is.
#pragma once

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead::vhost {

/// Whether `frame` needs private headers before librte_vhost may have it.
[[nodiscard]] bool needs_private_headers(const rte_mbuf& frame) noexcept;

/// False: the headers are not in the first segment, as they have to be (port_io.h).
[[nodiscard]] bool can_have_private_headers(const rte_mbuf& frame) noexcept;

/// The chain to give instead, or null without buffers (nothing has changed then). End it with one of the two below.
[[nodiscard]] rte_mbuf* with_private_headers(rte_mbuf* frame, rte_mempool* buffers) noexcept;

/// The guest has its copy: frees the chain and our hold on the frame.
void release_delivered(rte_mbuf* chain, rte_mbuf* frame) noexcept;
/// The guest did not take it: `frame` is again as it was given.
void restore_undelivered(rte_mbuf* chain, rte_mbuf* frame) noexcept;

}  // namespace bulkhead::vhost
