// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/underlay_exchange.h"

#include <algorithm>
#include <cstring>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_mbuf.h>

namespace bulkhead {

UnderlayExchange::UnderlayExchange(rte_mempool* buffers)
    : buffers_(buffers), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

UnderlayExchange::~UnderlayExchange() {
    for (Handed next{}; up_.pop(next);) free(next.frame);
    for (Outgoing next{}; down_.pop(next);) free(next.frame);
    if (bell_ >= 0) close(bell_);
}

bool UnderlayExchange::hand_up(rte_mbuf* frame, PortIndex nic) noexcept {
    if (!up_.push({frame, nic})) return false;
    ring_bell();
    return true;
}

void UnderlayExchange::ring_bell() noexcept {
    // One system call for all that comes until control looks.
    if (!rung_.exchange(true, std::memory_order_acq_rel)) {
        const std::uint64_t one = 1;
        (void)!write(bell_, &one, sizeof one);
    }
}

void UnderlayExchange::quiet_bell() noexcept {
    std::uint64_t rings = 0;
    (void)!read(bell_, &rings, sizeof rings);
    rung_.store(false, std::memory_order_release);
}

std::span<const std::uint8_t> UnderlayExchange::contents(const rte_mbuf* frame) {
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len, scratch_.size()));
    const void* const bytes = rte_pktmbuf_read(frame, 0, length, scratch_.data());
    return {static_cast<const std::uint8_t*>(bytes), length};
}

void UnderlayExchange::free(rte_mbuf* frame) noexcept {
    rte_pktmbuf_free(frame);
}

bool UnderlayExchange::send(PortIndex nic, std::span<const std::uint8_t> frame) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(buffers_);
    if (buffer == nullptr) return false;
    char* const room = rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(frame.size()));
    if (room != nullptr) {
        std::memcpy(room, frame.data(), frame.size());
        if (down_.push({buffer, nic})) return true;
    }
    rte_pktmbuf_free(buffer);
    return false;
}

}  // namespace bulkhead
