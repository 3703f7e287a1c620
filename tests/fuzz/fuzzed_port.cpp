// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzzed_port.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sanitizer/asan_interface.h>

#include <rte_mbuf.h>

namespace bulkhead::fuzz {
namespace {

rte_mbuf* buffer_of(rte_mempool* buffers, std::span<const std::uint8_t> octets) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(buffers);
    if (buffer == nullptr) std::abort();
    ASAN_UNPOISON_MEMORY_REGION(buffer->buf_addr, buffer->buf_len);
    auto* data = rte_pktmbuf_mtod(buffer, std::uint8_t*);
    if (!octets.empty()) std::memcpy(data, octets.data(), octets.size());
    buffer->data_len = static_cast<std::uint16_t>(octets.size());
    ASAN_POISON_MEMORY_REGION(data + octets.size(), rte_pktmbuf_tailroom(buffer));
    return buffer;
}

}  // namespace

FuzzedPort::FuzzedPort(rte_mempool* buffers, std::string mac, std::uint32_t offloads)
    : buffers_(buffers), mac_(std::move(mac)) {
    offloads_ = offloads;
}

FuzzedPort::~FuzzedPort() {
    for (rte_mbuf* frame : incoming_) rte_pktmbuf_free(frame);
}

void FuzzedPort::inject(std::span<const std::uint8_t> frame, std::size_t first, std::size_t piece, std::uint32_t mark) {
    first = std::min(first, frame.size());
    rte_mbuf* const head = buffer_of(buffers_, frame.first(first));
    rte_mbuf* last = head;
    for (std::size_t at = first; at < frame.size(); at += piece) {
        last->next = buffer_of(buffers_, frame.subspan(at, std::min(piece, frame.size() - at)));
        last = last->next;
        ++head->nb_segs;
    }
    head->pkt_len = static_cast<std::uint32_t>(frame.size());
    if (mark != 0) {
        head->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
        head->hash.fdir.hi = mark;
    }
    incoming_.push_back(head);
}

std::uint16_t FuzzedPort::receive(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept {
    const auto received = static_cast<std::uint16_t>(std::min<std::size_t>(count, incoming_.size()));
    std::copy_n(incoming_.begin(), received, frames);
    incoming_.erase(incoming_.begin(), incoming_.begin() + received);
    return received;
}

TransmitResult FuzzedPort::transmit(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept {
    for (std::uint16_t at = 0; at < count; ++at) {
        const rte_mbuf* frame = frames[at];
        std::vector<std::uint8_t>& octets = sent_.emplace_back();
        octets.reserve(frame->pkt_len);
        for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
            const auto* data = rte_pktmbuf_mtod(part, const std::uint8_t*);
            octets.insert(octets.end(), data, data + part->data_len);
        }
        if (octets.size() != frame->pkt_len) std::abort();
        rte_pktmbuf_free(frames[at]);
    }
    return {.taken = count};
}

}  // namespace bulkhead::fuzz
