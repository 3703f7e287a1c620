// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/frame_buffer.h"

#include <algorithm>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/vlan.h"

namespace bulkhead {

void FrameReturn::operator()(rte_mbuf* frame) const noexcept {
    rte_pktmbuf_free(frame);
}

FrameBuffer make_frame(std::span<const std::uint8_t> octets, std::optional<std::uint16_t> vlan, rte_mempool* buffers) {
    FrameBuffer frame(rte_pktmbuf_alloc(buffers));
    if (frame == nullptr) return frame;
    const std::size_t first = std::min<std::size_t>(octets.size(), rte_pktmbuf_tailroom(frame.get()));
    std::ranges::copy(octets.first(first), reinterpret_cast<std::uint8_t*>(
                                               rte_pktmbuf_append(frame.get(), static_cast<std::uint16_t>(first))));
    for (auto rest = octets.subspan(first); !rest.empty();) {
        FrameBuffer next(rte_pktmbuf_alloc(buffers));
        if (next == nullptr) return nullptr;
        const std::size_t size = std::min<std::size_t>(rest.size(), rte_pktmbuf_tailroom(next.get()));
        std::ranges::copy(rest.first(size), reinterpret_cast<std::uint8_t*>(
                                                rte_pktmbuf_append(next.get(), static_cast<std::uint16_t>(size))));
        rest = rest.subspan(size);
        if (rte_pktmbuf_chain(frame.get(), next.get()) != 0) return nullptr;
        (void)next.release();
    }
    if (vlan && first >= kMacPair && !push_vlan(frame.get(), *vlan)) return nullptr;
    return frame;
}

}  // namespace bulkhead
