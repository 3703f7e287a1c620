// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/transmitter.h"

#include <algorithm>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "vswitch/limits/port_limiter.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/pipeline/encapsulate.h"
#include "vswitch/pipeline/finish.h"
#include "vswitch/pipeline/too_big_answers.h"
#include "vswitch/pipeline/transmit_all.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

void count_drop(WorkerCounters& counters, AttachmentIndex attachment, DropReason reason) noexcept {
    counters.attachments[attachment].drops[static_cast<std::size_t>(reason)].add(1);
    counters.books.drops[static_cast<std::size_t>(reason)].add(1);
}

/// What may be left to do when a frame leaves. A NIC can't do it for a frame inside a tunnel.
std::uint32_t offloads_of(const PortEntry& port) noexcept {
    const std::uint32_t offloads = port.io->offloads();
    return port.underlay ? offloads & kOffloadMultiSegment : offloads;
}

}  // namespace

Transmitter::~Transmitter() {
    waiting_room_.weed([](PortIndex, AttachmentIndex) { return true; },
                       [](AttachmentIndex, rte_mbuf* frame) { rte_pktmbuf_free(frame); });
}

void Transmitter::adopt(const Snapshot& snapshot) {
    queues_.resize(snapshot.ports.size());
    std::vector<PortIndex> tunnels;
    for (std::size_t port = 0; port < queues_.size(); ++port) {
        const PortEntry& entry = snapshot.ports[port];
        if (entry.io == nullptr || entry.tunnel)
            queues_[port].reset();
        else if (!queues_[port])
            queues_[port] = std::make_unique<Queue>();
        if (entry.tunnel) tunnels.push_back(static_cast<PortIndex>(port));
    }
    waiting_.reserve(queues_.size());
    const auto dropped = [this](AttachmentIndex by, rte_mbuf* frame) { drop(by, frame, DropReason::port_gone); };
    waiting_room_.weed(
        [&](PortIndex tunnel, AttachmentIndex by) {
            return by >= snapshot.attachments.size() || snapshot.attachments[by].port != tunnel ||
                   snapshot.ports[tunnel].tunnel == nullptr;
        },
        dropped);
    waiting_room_.adopt(tunnels);
    counters_.books.held.set(waiting_room_.held());
}

void Transmitter::send(const Snapshot& snapshot, AttachmentIndex egress, GroupId group, rte_mbuf* frame) noexcept {
    const PortIndex port = snapshot.attachments[egress].out_port;
    if (is_demanding(frame)) [[unlikely]] {
        const std::uint32_t offloads = offloads_of(snapshot.ports[port]);
        if (!fits(frame, offloads)) return send_unfinished(snapshot, egress, port, group, frame, offloads);
    }
    enqueue(snapshot, egress, port, group, frame);
}

void Transmitter::send_all(const Snapshot& snapshot, AttachmentIndex egress, Batch& batch) noexcept {
    transmit(snapshot, snapshot.attachments[egress].out_port, batch.frames.data(), batch.length.data(),
             batch.group.data(), batch.count, [egress](std::uint16_t) { return egress; });
}

void Transmitter::send_all(const Snapshot& snapshot, Batch& batch) noexcept {
    transmit(snapshot, snapshot.attachments[batch.egress[0]].out_port, batch.frames.data(), batch.length.data(),
             batch.group.data(), batch.count, [&batch](std::uint16_t at) { return batch.egress[at]; });
}

void Transmitter::send_unfinished(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, GroupId group,
                                  rte_mbuf* frame, std::uint32_t offloads) noexcept {
    std::array<rte_mbuf*, kMaxSegmentsOfFrame> made;
    const Finished finished = finish(frame, offloads, buffers_, made.data());
    if (finished.count == 0) {
        return drop(egress, frame, finished.reason);
    }
    counters_.books.copies.add(finished.count - 1U);
    for (std::uint16_t at = 0; at < finished.count; ++at) enqueue(snapshot, egress, port, group, made[at]);
}

void Transmitter::enqueue(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, GroupId group,
                          rte_mbuf* frame) noexcept {
    Queue& queue = *queues_[port];
    if (queue.count == 0) waiting_.push_back(port);
    queue.frames[queue.count] = frame;
    queue.by[queue.count] = egress;
    queue.groups[queue.count] = group;
    queue.lengths[queue.count] = frame->pkt_len;
    if (++queue.count < kBurst) return;
    flush(snapshot, port);
    std::erase(waiting_, port);
}

void Transmitter::flush(const Snapshot& snapshot) noexcept {
    for (const PortIndex port : waiting_) flush(snapshot, port);
    waiting_.clear();
    if (waiting_room_.held() > 0) [[unlikely]]
        look_at_waiting(snapshot);
}

void Transmitter::flush(const Snapshot& snapshot, PortIndex port) noexcept {
    Queue& queue = *queues_[port];
    transmit(snapshot, port, queue.frames.data(), queue.lengths.data(), queue.groups.data(), queue.count,
             [&queue](std::uint16_t at) { return queue.by[at]; });
    queue.count = 0;
}

template <typename AttachmentOf>
void Transmitter::transmit(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, const std::uint32_t* lengths,
                           const GroupId* groups, std::uint16_t count, AttachmentOf attachment_of) noexcept {
    if (snapshot.ports[port].underlay)
        return transmit_through(snapshot, port, frames, lengths, groups, count, attachment_of);
    send_out(snapshot, port, frames, lengths, count, attachment_of);
}

template <typename AttachmentOf>
void Transmitter::transmit_through(const Snapshot& snapshot, PortIndex nic, rte_mbuf** frames,
                                   const std::uint32_t* lengths, const GroupId* groups, std::uint16_t count,
                                   AttachmentOf attachment_of) noexcept {
    Queue out;
    out.count = 0;
    for (std::uint16_t at = 0, run = 0; at < count; run = at) {
        const AttachmentIndex by = attachment_of(run);
        while (at < count && attachment_of(at) == by) ++at;
        if (at - run == count && enter_tunnel_together(snapshot, by, frames, lengths, groups, count)) [[likely]]
            return send_out(snapshot, nic, frames, lengths, count, attachment_of);
        enter_tunnel(snapshot, by, frames + run, lengths + run, groups + run, static_cast<std::uint16_t>(at - run),
                     out);
    }
    send_out(snapshot, nic, out.frames.data(), out.lengths.data(), out.count,
             [&out](std::uint16_t at) { return out.by[at]; });
}

bool Transmitter::enter_tunnel_together(const Snapshot& snapshot, AttachmentIndex by, rte_mbuf** frames,
                                        const std::uint32_t* lengths, const GroupId* groups,
                                        std::uint16_t count) const noexcept {
    const AttachmentEntry& attachment = snapshot.attachments[by];
    const TunnelEntry& tunnel = *snapshot.ports[attachment.port].tunnel;
    const NextHops::Entry next_hop = next_hops_.read(tunnel.next_hop);
    if (next_hop.state != NextHops::State::known || !all_have_room(frames, lengths, count, tunnel.longest_frame))
        return false;
    encapsulate(tunnel, next_hop.mac, attachment.vni, frames, groups, count);
    return true;
}

void Transmitter::enter_tunnel(const Snapshot& snapshot, AttachmentIndex by, rte_mbuf** frames,
                               const std::uint32_t* lengths, const GroupId* groups, std::uint16_t count,
                               Queue& out) noexcept {
    const AttachmentEntry& attachment = snapshot.attachments[by];
    const PortEntry& entry = snapshot.ports[attachment.port];
    const TunnelEntry& tunnel = *entry.tunnel;
    const NextHops::Entry next_hop = next_hops_.read(tunnel.next_hop);
    if (next_hop.state != NextHops::State::known) [[unlikely]] {
        const bool tells_groups = tunnel.group_field != GroupField::none;
        for (std::uint16_t at = 0; at < count; ++at)
            wait_or_drop(by, attachment.port, next_hop.state, tells_groups ? groups[at] : kNoGroupId, frames[at]);
        return;
    }
    const bool may_chain = (entry.io->offloads() & kOffloadMultiSegment) != 0;
    const std::uint16_t first = out.count;
    for (std::uint16_t at = 0; at < count; ++at) {
        if (lengths[at] > tunnel.longest_frame) [[unlikely]] {
            drop_too_big(snapshot, by, frames[at]);
        } else if (!make_room(frames[at], may_chain, buffers_)) [[unlikely]] {
            drop(by, frames[at], DropReason::no_buffer);
        } else {
            out.frames[out.count] = frames[at];
            out.by[out.count] = by;
            if (tunnel.group_field != GroupField::none) [[unlikely]]
                out.groups[out.count] = groups[at];
            out.lengths[out.count++] = lengths[at];
        }
    }
    encapsulate(tunnel, next_hop.mac, attachment.vni, out.frames.data() + first, out.groups.data() + first,
                static_cast<std::uint16_t>(out.count - first));
}

void Transmitter::wait_or_drop(AttachmentIndex egress, PortIndex tunnel, NextHops::State state, GroupId group,
                               rte_mbuf* frame) noexcept {
    if (state != NextHops::State::asking || !waiting_room_.hold(tunnel, egress, group, frame))
        return drop(egress, frame, DropReason::no_neighbor);
    counters_.books.held.set(waiting_room_.held());
}

void Transmitter::look_at_waiting(const Snapshot& snapshot) noexcept {
    const auto is_answered = [&](PortIndex tunnel) {
        return next_hops_.read(snapshot.ports[tunnel].tunnel->next_hop).state != NextHops::State::asking;
    };
    waiting_room_.release(is_answered, [&](PortIndex tunnel, WaitingRoom::Queue& queue) {
        std::array<std::uint32_t, WaitingRoom::kPlaces> lengths;
        for (std::uint16_t at = 0; at < queue.count; ++at) lengths[at] = queue.frames[at]->pkt_len;
        transmit_through(snapshot, snapshot.ports[tunnel].tunnel->nic, queue.frames.data(), lengths.data(),
                         queue.groups.data(), queue.count, [&queue](std::uint16_t at) { return queue.by[at]; });
    });
    counters_.books.held.set(waiting_room_.held());
}

void Transmitter::drop_too_big(const Snapshot& snapshot, AttachmentIndex egress, rte_mbuf* frame) noexcept {
    too_big_.note(snapshot, egress, frame);
    drop(egress, frame, DropReason::path_mtu_exceeded);
}

void Transmitter::drop(AttachmentIndex egress, rte_mbuf* frame, DropReason reason) noexcept {
    count_drop(counters_, egress, reason);
    rte_pktmbuf_free(frame);
}

void Transmitter::originate(const Snapshot& snapshot, PortIndex nic, rte_mbuf* frame) noexcept {
    counters_.books.originated.add(1);
    const PortEntry* const entry = nic < snapshot.ports.size() ? &snapshot.ports[nic] : nullptr;
    const std::uint32_t length = frame->pkt_len;
    TransmitResult result{0, DropReason::port_gone};
    if (entry != nullptr && entry->io != nullptr)
        result = entry->io->transmit(entry->transmit_queue[worker_], &frame, 1);
    if (result.taken == 1) {
        counters_.ports[nic].tx_packets.add(1);
        counters_.ports[nic].tx_bytes.add(length);
        counters_.books.transmitted.add(1);
        return;
    }
    counters_.ports[nic].drops[static_cast<std::size_t>(result.reason)].add(1);
    counters_.books.drops[static_cast<std::size_t>(result.reason)].add(1);
    rte_pktmbuf_free(frame);
}

template <typename AttachmentOf>
void Transmitter::send_out(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, const std::uint32_t* lengths,
                           std::uint16_t count, AttachmentOf attachment_of) noexcept {
    const PortEntry& entry = snapshot.ports[port];
    if (entry.limiter && entry.limiter->transmitted) [[unlikely]] {
        const auto length = [lengths](std::uint16_t at) { return lengths[at]; };
        const std::uint16_t passed = entry.limiter->transmitted->take(count, length, rte_rdtsc());
        for (std::uint16_t at = passed; at < count; ++at) drop(attachment_of(at), frames[at], DropReason::tx_rate);
        count = passed;
    }
    transmit_all(
        *entry.io, entry.transmit_queue[worker_], frames, count,
        [&](std::uint16_t first, std::uint16_t end) {
            account_sent(snapshot, port, lengths, first, end, attachment_of);
        },
        [&](std::uint16_t at, DropReason reason) { drop(attachment_of(at), frames[at], reason); });
}

template <typename AttachmentOf>
void Transmitter::account_sent(const Snapshot& snapshot, PortIndex port, const std::uint32_t* lengths,
                               std::uint16_t first, std::uint16_t end, AttachmentOf attachment_of) noexcept {
    const bool is_tunnelled = snapshot.ports[port].underlay != nullptr;
    std::uint64_t all_bytes = 0;
    for (std::uint16_t at = first, run = first; at < end; run = at) {
        const AttachmentIndex index = attachment_of(run);
        std::uint64_t bytes = 0;
        for (; at < end && attachment_of(at) == index; ++at) bytes += lengths[at];
        const auto packets = static_cast<std::uint64_t>(at - run);
        counters_.attachments[index].tx_packets.add(packets);
        counters_.attachments[index].tx_bytes.add(bytes);
        all_bytes += bytes;
        if (!is_tunnelled) [[likely]]
            continue;
        const PortIndex tunnel = snapshot.attachments[index].port;
        counters_.ports[tunnel].tx_packets.add(packets);
        counters_.ports[tunnel].tx_bytes.add(bytes);
        all_bytes += packets * snapshot.ports[tunnel].tunnel->header_length();
    }
    counters_.ports[port].tx_packets.add(static_cast<std::uint64_t>(end - first));
    counters_.ports[port].tx_bytes.add(all_bytes);
    counters_.books.transmitted.add(static_cast<std::uint64_t>(end - first));
}

}  // namespace bulkhead
