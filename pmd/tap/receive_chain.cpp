// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/receive_chain.h"

#include <algorithm>

#include <rte_mbuf.h>

namespace bulkhead {
namespace {

/// The longest frame a TAP hands over: 64 KiB of IP (GSO_LEGACY_MAX_SIZE) behind Ethernet and two VLAN tags. One byte
/// more is offered, so that a longer one shows.
constexpr std::uint32_t kLongestFrame = 65536 + 14 + 2 * 4;

unsigned segments_for(std::uint32_t room) {
    return (kLongestFrame + 1 + room - 1) / room;
}

}  // namespace

ReceiveChain::ReceiveChain(rte_mempool* buffers)
    : buffers_(buffers),
      room_(rte_pktmbuf_data_room_size(buffers) - std::uint32_t{RTE_PKTMBUF_HEADROOM}),
      header_(std::make_unique<VnetHeader>()),
      segments_(segments_for(room_)),
      vectors_(segments_.size() + 1),
      missing_(static_cast<unsigned>(segments_.size())) {
    vectors_[0] = {.iov_base = header_.get(), .iov_len = sizeof(VnetHeader)};
}

ReceiveChain::~ReceiveChain() {
    for (std::size_t i = missing_; i < segments_.size(); ++i) rte_pktmbuf_free(segments_[i]);
}

bool ReceiveChain::refill() noexcept {
    if (missing_ == 0) [[likely]]
        return true;
    if (rte_pktmbuf_alloc_bulk(buffers_, segments_.data(), missing_) != 0) return false;
    for (unsigned i = 0; i < missing_; ++i) {
        vectors_[i + 1] = {.iov_base = rte_pktmbuf_mtod(segments_[i], void*), .iov_len = room_};
    }
    missing_ = 0;
    return true;
}

rte_mbuf* ReceiveChain::detach(std::size_t bytes) noexcept {
    const bool is_frame = bytes > sizeof(VnetHeader) && bytes - sizeof(VnetHeader) <= kLongestFrame;
    auto left = is_frame ? static_cast<std::uint32_t>(bytes - sizeof(VnetHeader)) : 0;
    rte_mbuf* const frame = segments_[0];
    frame->pkt_len = left;
    rte_mbuf* previous = nullptr;
    do {
        rte_mbuf* const segment = segments_[missing_++];
        segment->data_len = static_cast<std::uint16_t>(std::min(left, room_));
        left -= segment->data_len;
        if (previous != nullptr) previous->next = segment;
        previous = segment;
    } while (left > 0);
    frame->nb_segs = static_cast<std::uint16_t>(missing_);
    return frame;
}

}  // namespace bulkhead
