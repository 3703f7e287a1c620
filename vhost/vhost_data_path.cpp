// SPDX-License-Identifier: Apache-2.0
// What workers call: frames to and from the guest, and sleeping until there are some.
#include <algorithm>
#include <bit>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_vhost.h>

#include "vhost/offload_request.h"
#include "vhost/private_headers.h"
#include "vhost/vhost_port_impl.h"
#include "vswitch/packet/refused_frame.h"

namespace bulkhead::vhost {
namespace {

constexpr std::uint16_t kBurst = 32;  ///< librte_vhost moves no more in one call

/// The transmit flags that any of the frames has.
std::uint64_t flags_of(rte_mbuf** frames, std::uint16_t count) noexcept {
    std::uint64_t flags = 0;
    for (std::uint16_t at = 0; at < count; ++at) flags |= frames[at]->ol_flags;
    return flags & RTE_MBUF_F_TX_OFFLOAD_MASK;
}

/// What a guest sends stays a frame of the switch, but one whose request can't be gone by is marked. A super-segment is
/// bounded here; the MTU bounds the others.
void mark_unsound(rte_mbuf** frames, std::uint16_t count) noexcept {
    if (flags_of(frames, count) == 0) [[likely]]
        return;
    for (std::uint16_t at = 0; at < count; ++at) {
        rte_mbuf& frame = *frames[at];
        const bool too_long = frame.pkt_len > kMaxFrame && (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
        if (too_long || !accept_offload_request(frame)) mark_refused(frame);
    }
}

/// The `index`-th enabled pair, going round: bits of a mask that is not 0.
unsigned pick_pair(std::uint32_t pairs, unsigned index) noexcept {
    for (unsigned skip = index % static_cast<unsigned>(std::popcount(pairs)); skip > 0; --skip) pairs &= pairs - 1;
    return static_cast<unsigned>(std::countr_zero(pairs));
}

}  // namespace

// ---- receive ----

bool VhostPort::can_receive(std::uint16_t queue) const noexcept {
    return vid_.load(std::memory_order_relaxed) != kNoDevice &&
           (receive_pairs_.load(std::memory_order_relaxed) >> queue & 1) != 0;
}

std::uint16_t VhostPort::receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (!can_receive(queue)) return 0;
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return 0;
    const GuestMemory::Scope scope(memory_);
    const int vid = vid_.load(std::memory_order_acquire);
    std::uint16_t received = 0;
    while (vid != kNoDevice && received < count) {
        const auto want = std::min<std::uint16_t>(kBurst, static_cast<std::uint16_t>(count - received));
        const std::uint16_t got = rte_vhost_dequeue_burst(vid, guest_transmit_ring(queue),
                                                          self.allowance.for_burst(want), frames + received, want);
        mark_unsound(frames + received, got);
        self.counters.count(frames + received, got);
        received = static_cast<std::uint16_t>(received + got);
        if (got < want) break;
    }
    self.guard.leave();
    return received;
}

// ---- transmit ----

TransmitResult VhostPort::transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (vid_.load(std::memory_order_relaxed) == kNoDevice) return {0, DropReason::guest_not_ready};
    const std::uint32_t pairs = transmit_pairs_.load(std::memory_order_relaxed);
    if (pairs == 0) return {0, DropReason::guest_disabled};

    TransmitQueue& self = transmit_queues_[queue];
    const unsigned pair = pick_pair(pairs, queue);
    TransmitResult result;
    self.guard.enter();
    const GuestMemory::Scope scope(memory_);
    while (result.taken < count && result.reason == DropReason::none) {
        const auto want = std::min<std::uint16_t>(kBurst, static_cast<std::uint16_t>(count - result.taken));
        const TransmitResult sent = send(self, pair, frames + result.taken, want);
        result.taken = static_cast<std::uint16_t>(result.taken + sent.taken);
        result.reason = sent.reason;
    }
    self.guard.leave();
    return result;
}

TransmitResult VhostPort::send(TransmitQueue& queue, unsigned pair, rte_mbuf** frames, std::uint16_t count) noexcept {
    // One guest from here to the end: what suits this one need not suit another that comes in between.
    const int vid = vid_.load(std::memory_order_acquire);
    if (vid == kNoDevice) return {0, DropReason::guest_not_ready};
    if (flags_of(frames, count) == 0) [[likely]] {
        const TransmitResult sent = enqueue(queue, vid, pair, frames, count);
        rte_pktmbuf_free_bulk(frames, sent.taken);
        return sent;
    }
    rte_mbuf* chains[kBurst];
    std::uint16_t ready = 0;
    TransmitResult result;
    for (; ready < count; ++ready) {
        rte_mbuf* frame = frames[ready];
        chains[ready] = frame;
        if (!guest_can_finish(*frame)) {
            result.reason = DropReason::guest_not_ready;  // not the guest that the caller's offloads() spoke of
            break;
        }
        if (!needs_private_headers(*frame)) continue;
        if (!can_have_private_headers(*frame)) {
            result.reason = DropReason::tx_error;
            break;
        }
        chains[ready] = with_private_headers(frame, buffers_);
        if (chains[ready] == nullptr) {
            result.reason = DropReason::no_buffer;
            break;
        }
    }
    const TransmitResult sent = enqueue(queue, vid, pair, chains, ready);
    result.taken = sent.taken;
    if (sent.taken < ready) result.reason = sent.reason;
    for (std::uint16_t at = 0; at < ready; ++at) {
        const bool taken = at < result.taken;
        if (chains[at] == frames[at]) {
            if (taken) rte_pktmbuf_free(frames[at]);
        } else if (taken) {
            release_delivered(chains[at], frames[at]);
        } else {
            restore_undelivered(chains[at], frames[at]);
        }
    }
    return result;
}

TransmitResult VhostPort::enqueue(TransmitQueue& queue, int vid, unsigned pair, rte_mbuf** chains,
                                  std::uint16_t count) const noexcept {
    constexpr std::uint64_t kPatiencePerSecond = 500'000;  // 2 µs: a guest that is polling refills within it
    const bool one_buffer_each = (features_.load(std::memory_order_relaxed) & feature::kMergeableBuffers) == 0;
    const std::uint16_t ring = guest_receive_ring(pair);
    RingCounters& counters = queue.counters[pair];
    std::uint64_t give_up = 0;
    std::uint16_t taken = 0;
    bool had_buffers = false;
    while (true) {
        const std::uint16_t sent =
            rte_vhost_enqueue_burst(vid, ring, chains + taken, static_cast<std::uint16_t>(count - taken));
        counters.count(chains + taken, sent);
        taken = static_cast<std::uint16_t>(taken + sent);
        if (sent != 0) queue.stalled = false;
        if (taken == count) return {taken, DropReason::none};
        // The guest may leave while we wait for it; inside the guard its memory stays.
        if (vid_.load(std::memory_order_acquire) != vid) return {taken, DropReason::guest_not_ready};
        if (one_buffer_each) {
            // Buffers were there before the attempt and none was taken: the frame is too long for the next one, and
            // would be for ever. That is its own trouble, not of those behind it.
            if (sent == 0 && had_buffers) return {taken, DropReason::tx_error};
            had_buffers = rte_vhost_avail_entries(vid, ring) > 0;
            if (had_buffers) continue;
        }
        if (queue.stalled) {
            counters.full.add(1);
            return {taken, DropReason::guest_queue_full};
        }
        const std::uint64_t now = rte_rdtsc();
        if (give_up == 0) give_up = now + rte_get_tsc_hz() / kPatiencePerSecond;
        if (now > give_up) {
            counters.full.add(1);
            queue.stalled = true;  // a guest that has stopped costs the worker this wait once, not every burst
            return {taken, DropReason::guest_queue_full};
        }
        rte_pause();
    }
}

bool VhostPort::guest_can_finish(const rte_mbuf& frame) const noexcept {
    const std::uint64_t flags = frame.ol_flags;
    if ((flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)) == 0) return true;
    std::uint32_t needed = kOffloadL4Checksum;
    if ((flags & RTE_MBUF_F_TX_TCP_SEG) != 0) needed |= (flags & RTE_MBUF_F_TX_IPV4) != 0 ? kOffloadTso4 : kOffloadTso6;
    return (needed & ~offloads_of(features_.load(std::memory_order_relaxed))) == 0;
}

// ---- idling ----

bool VhostPort::arm(std::uint16_t queue) noexcept {
    if (!can_receive(queue)) return true;  // the bell rings when that changes
    if ((silent_pairs_.load(std::memory_order_relaxed) >> queue & 1) != 0) return false;  // nothing would wake us
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return false;
    const GuestMemory::Scope scope(memory_);
    const int vid = vid_.load(std::memory_order_acquire);
    bool idle = true;
    if (vid != kNoDevice) {
        const std::uint16_t ring = guest_transmit_ring(queue);
        rte_vhost_enable_guest_notification(vid, ring, 1);
        rte_mb();  // the guest must see the request before we look at its ring, or both of us would wait
        idle = rte_vhost_rx_queue_count(vid, ring) == 0;
    }
    self.guard.leave();
    return idle;
}

void VhostPort::disarm(std::uint16_t queue) noexcept {
    wake_.consume(queue);
    if (!can_receive(queue)) return;
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return;
    const GuestMemory::Scope scope(memory_);
    if (const int vid = vid_.load(std::memory_order_acquire); vid != kNoDevice)
        rte_vhost_enable_guest_notification(vid, guest_transmit_ring(queue), 0);
    self.guard.leave();
}

}  // namespace bulkhead::vhost
