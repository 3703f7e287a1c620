// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support/memory_port.h"

#include <algorithm>
#include <cstring>

namespace bulkhead::test {

rte_mbuf* MemoryPort::make(const Bytes& bytes) const {
    rte_mbuf* frame = rte_pktmbuf_alloc(buffers_);
    rte_mbuf* last = frame;
    for (std::size_t at = 0; at < bytes.size();) {
        if (rte_pktmbuf_tailroom(last) == 0) {
            last->next = rte_pktmbuf_alloc(buffers_);
            last = last->next;
            ++frame->nb_segs;
        }
        const std::size_t part = std::min<std::size_t>(bytes.size() - at, rte_pktmbuf_tailroom(last));
        std::memcpy(rte_pktmbuf_mtod_offset(last, std::uint8_t*, last->data_len), bytes.data() + at, part);
        last->data_len = static_cast<std::uint16_t>(last->data_len + part);
        frame->pkt_len += static_cast<std::uint32_t>(part);
        at += part;
    }
    return frame;
}

std::vector<Bytes> MemoryPort::take_bytes() {
    std::vector<Bytes> all;
    for (Sent& sent : take()) all.push_back(std::move(sent.bytes));
    return all;
}

std::uint16_t MemoryPort::receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (queue != 0) return 0;
    std::uint16_t received = 0;
    while (received < count && !incoming_.empty()) {
        frames[received++] = incoming_.front();
        incoming_.pop_front();
    }
    return received;
}

TransmitResult MemoryPort::transmit(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept {
    std::uint16_t taken = std::min(count, room_);
    for (std::uint16_t at = 0; at < taken; ++at)
        if (frames[at]->pkt_len == refused_length_) taken = at;
    const bool refused = taken < std::min(count, room_);
    room_ = static_cast<std::uint16_t>(room_ == UINT16_MAX ? room_ : room_ - taken);
    for (std::uint16_t at = 0; at < taken; ++at) {
        const rte_mbuf* frame = frames[at];
        Sent sent{Bytes(frame->pkt_len), frame->ol_flags, static_cast<std::uint16_t>(frame->tso_segsz), nullptr};
        std::size_t offset = 0;
        for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
            std::memcpy(sent.bytes.data() + offset, rte_pktmbuf_mtod(part, const void*), part->data_len);
            offset += part->data_len;
            sent.payload = rte_pktmbuf_mtod(part, const std::uint8_t*) + part->data_len;
        }
        sent_.push_back(std::move(sent));
        rte_pktmbuf_free(frames[at]);
    }
    return {taken, refused ? DropReason::tx_error : taken < count ? refusal_ : DropReason::none};
}

}  // namespace bulkhead::test
