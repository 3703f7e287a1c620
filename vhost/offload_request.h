// SPDX-License-Identifier: Apache-2.0
// The work a guest asks of its device stands in a virtio_net_hdr that the guest wrote: nothing in it can be trusted.
#pragma once

struct rte_mbuf;

namespace bulkhead::vhost {

/// Whether the transmit flags that librte_vhost made of the guest's header fit the frame, so that later stages may go
/// by them: headers inside the first segment, IP lengths that agree with the frame, a segment size that doesn't turn
/// one frame into thousands. A frame without work comes out without flags. False: drop the frame.
[[nodiscard]] bool accept_offload_request(rte_mbuf& frame) noexcept;

}  // namespace bulkhead::vhost
