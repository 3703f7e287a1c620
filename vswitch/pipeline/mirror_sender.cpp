// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/mirror_sender.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "vswitch/limits/port_limiter.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/pipeline/encapsulate.h"
#include "vswitch/pipeline/finish.h"
#include "vswitch/pipeline/transmit_all.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

/// How long an observer that took nothing of a burst gets no copies: 100 µs.
constexpr std::uint64_t kPausesPerSecond = 10'000;

/// Cuts a frame, whose buffers nobody shares, off behind `length` octets.
void cut(rte_mbuf* frame, std::uint32_t length) noexcept {
    if (frame->pkt_len <= length) return;
    rte_mbuf* last = frame;
    std::uint32_t left = length;
    std::uint16_t buffers = 1;
    for (; left > last->data_len; last = last->next, ++buffers) left -= last->data_len;
    last->data_len = static_cast<std::uint16_t>(left);
    rte_pktmbuf_free(last->next);
    last->next = nullptr;
    frame->nb_segs = buffers;
    frame->pkt_len = length;
}

}  // namespace

void MirrorSender::adopt(const Snapshot& snapshot) {
    queues_.assign(snapshot.mirrors == nullptr ? 0 : snapshot.mirrors->targets.size(), Queue());
}

bool MirrorSender::is_open(std::uint16_t target) const noexcept {
    return queues_[target].closed_until == 0 || queues_[target].closed_until < rte_rdtsc();
}

void MirrorSender::send(const Snapshot& snapshot, const MirrorEntry& mirror, rte_mbuf* copy) noexcept {
    const MirrorTarget& target = snapshot.mirrors->targets[mirror.target];
    std::uint32_t offloads = snapshot.ports[target.port].io->offloads();
    if (target.vni != 0) offloads &= kOffloadMultiSegment;  // a NIC can't do it for a frame inside a tunnel
    if (!is_demanding(copy) || fits(copy, offloads)) [[likely]]
        return enqueue(snapshot, mirror, copy);
    std::array<rte_mbuf*, kMaxSegmentsOfFrame> made;
    const Finished finished = finish(copy, offloads, buffers_, made.data());
    if (finished.count == 0) {
        lose(mirror.index, finished.reason == DropReason::no_buffer ? CopyLoss::no_buffer : CopyLoss::unfinished);
        return rte_pktmbuf_free(copy);
    }
    for (std::uint16_t at = 0; at < finished.count; ++at) enqueue(snapshot, mirror, made[at]);
}

void MirrorSender::enqueue(const Snapshot& snapshot, const MirrorEntry& mirror, rte_mbuf* copy) noexcept {
    const MirrorTarget& target = snapshot.mirrors->targets[mirror.target];
    if (target.vni != 0) {
        const PortEntry& port = snapshot.ports[target.port];
        cut(copy, port.tunnel->longest_frame);
        const bool may_chain = (port.io->offloads() & kOffloadMultiSegment) != 0;
        if (!make_room(copy, may_chain, buffers_)) {
            lose(mirror.index, CopyLoss::no_buffer);
            return rte_pktmbuf_free(copy);
        }
    }
    Queue& queue = queues_[mirror.target];
    queue.frames[queue.count] = copy;
    queue.lengths[queue.count] = copy->pkt_len;
    queue.mirrors[queue.count] = mirror.index;
    if (++queue.count == kBurst) flush(snapshot, mirror.target);
}

void MirrorSender::lose(Queue& queue, std::uint16_t at, CopyLoss loss) noexcept {
    lose(queue.mirrors[at], loss);
    rte_pktmbuf_free(queue.frames[at]);
}

bool MirrorSender::enter_tunnel(const TunnelEntry& tunnel, std::uint32_t vni, Queue& queue) noexcept {
    constexpr std::array<GroupId, kBurst> kNoGroups{};
    const NextHops::Entry next_hop = next_hops_.read(tunnel.next_hop);
    if (next_hop.state != NextHops::State::known) {
        for (std::uint16_t at = 0; at < queue.count; ++at) lose(queue, at, CopyLoss::unreachable);
        return false;
    }
    encapsulate(tunnel, next_hop.mac, vni, queue.frames.data(), kNoGroups.data(), queue.count);
    return true;
}

void MirrorSender::flush(const Snapshot& snapshot, std::uint16_t place) noexcept {
    Queue& queue = queues_[place];
    const MirrorTarget& target = snapshot.mirrors->targets[place];
    const PortEntry& port = snapshot.ports[target.port];
    if (target.vni != 0 && !enter_tunnel(*port.tunnel, target.vni, queue)) {
        queue.count = 0;
        return;
    }
    std::uint16_t count = queue.count, taken = 0;
    if (port.limiter && port.limiter->transmitted) [[unlikely]] {
        const auto length = [&queue](std::uint16_t at) { return queue.lengths[at]; };
        count = port.limiter->transmitted->take(queue.count, length, rte_rdtsc());
        for (std::uint16_t at = count; at < queue.count; ++at) lose(queue, at, CopyLoss::mirror_full);
    }
    transmit_all(
        *port.io, port.transmit_queue[worker_], queue.frames.data(), count,
        [&](std::uint16_t first, std::uint16_t end) {
            taken = static_cast<std::uint16_t>(taken + end - first);
            for (std::uint16_t at = first; at < end; ++at) {
                MirrorCounters& counted = counters_.mirrors[queue.mirrors[at]];
                counted.packets.add(1);
                counted.bytes.add(queue.lengths[at]);
            }
        },
        [&](std::uint16_t at, DropReason) { lose(queue, at, CopyLoss::mirror_full); });
    queue.closed_until = taken > 0 ? 0 : rte_rdtsc() + rte_get_tsc_hz() / kPausesPerSecond;
    queue.count = 0;
}

void MirrorSender::flush(const Snapshot& snapshot) noexcept {
    for (std::uint16_t target = 0; target < queues_.size(); ++target)
        if (queues_[target].count > 0) flush(snapshot, target);
}

}  // namespace bulkhead
