// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/answer_frame.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {

rte_mbuf* answer_frame(std::span<const std::uint8_t> asked, MacAddress destination, MacAddress source,
                       std::span<const std::uint8_t> payload, rte_mempool* buffers) noexcept {
    rte_mbuf* const frame = rte_pktmbuf_alloc(buffers);
    if (frame == nullptr) return nullptr;
    // So that it is long enough when its tags are taken off, too.
    const std::size_t length = asked.size() + payload.size(),
                      shortest = kShortestFrame + asked.size() - kEthernetHeader;
    auto* const octets = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_append(frame, static_cast<std::uint16_t>(std::max(length, shortest))));
    if (octets == nullptr) {
        rte_pktmbuf_free(frame);
        return nullptr;
    }
    std::ranges::copy(destination.octets(), octets);
    std::ranges::copy(source.octets(), octets + 6);
    std::ranges::copy(asked.subspan(kMacPair), octets + kMacPair);
    std::ranges::copy(payload, octets + asked.size());
    if (length < shortest) std::memset(octets + length, 0, shortest - length);
    return frame;
}

}  // namespace bulkhead
