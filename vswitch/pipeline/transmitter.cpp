// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/transmitter.h"

#include <algorithm>

#include <rte_mbuf.h>

#include "vswitch/packet/pending_work.h"
#include "vswitch/pipeline/finish.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

void count_drop(WorkerCounters& counters, AttachmentIndex attachment, DropReason reason) noexcept {
    counters.attachments[attachment].drops[static_cast<std::size_t>(reason)].add(1);
    counters.books.drops[static_cast<std::size_t>(reason)].add(1);
}

}  // namespace

void Transmitter::adopt(const Snapshot& snapshot) {
    queues_.resize(snapshot.ports.size());
    for (std::size_t port = 0; port < queues_.size(); ++port) {
        if (snapshot.ports[port].io == nullptr)
            queues_[port].reset();
        else if (!queues_[port])
            queues_[port] = std::make_unique<Queue>();
    }
    waiting_.reserve(queues_.size());
}

void Transmitter::send(const Snapshot& snapshot, AttachmentIndex egress, rte_mbuf* frame) noexcept {
    const PortIndex port = snapshot.attachments[egress].port;
    if (is_demanding(frame)) [[unlikely]] {
        const std::uint32_t offloads = snapshot.ports[port].io->offloads();
        if (!fits(frame, offloads)) return send_unfinished(snapshot, egress, port, frame, offloads);
    }
    enqueue(snapshot, egress, port, frame);
}

void Transmitter::send_all(const Snapshot& snapshot, AttachmentIndex egress, Batch& batch) noexcept {
    transmit(snapshot, snapshot.attachments[egress].port, batch.frames.data(), batch.length.data(), batch.count,
             [egress](std::uint16_t) { return egress; });
}

void Transmitter::send_all(const Snapshot& snapshot, Batch& batch) noexcept {
    transmit(snapshot, snapshot.attachments[batch.egress[0]].port, batch.frames.data(), batch.length.data(),
             batch.count, [&batch](std::uint16_t at) { return batch.egress[at]; });
}

void Transmitter::send_unfinished(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, rte_mbuf* frame,
                                  std::uint32_t offloads) noexcept {
    std::array<rte_mbuf*, kMaxSegmentsOfFrame> made;
    const Finished finished = finish(frame, offloads, buffers_, made.data());
    if (finished.count == 0) {
        count_drop(counters_, egress, finished.reason);
        rte_pktmbuf_free(frame);
        return;
    }
    counters_.books.copies.add(finished.count - 1U);
    for (std::uint16_t at = 0; at < finished.count; ++at) enqueue(snapshot, egress, port, made[at]);
}

void Transmitter::enqueue(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, rte_mbuf* frame) noexcept {
    Queue& queue = *queues_[port];
    if (queue.count == 0) waiting_.push_back(port);
    queue.frames[queue.count] = frame;
    queue.by[queue.count] = egress;
    queue.lengths[queue.count] = frame->pkt_len;
    if (++queue.count < kBurst) return;
    flush(snapshot, port);
    std::erase(waiting_, port);
}

void Transmitter::flush(const Snapshot& snapshot) noexcept {
    for (const PortIndex port : waiting_) flush(snapshot, port);
    waiting_.clear();
}

void Transmitter::flush(const Snapshot& snapshot, PortIndex port) noexcept {
    Queue& queue = *queues_[port];
    transmit(snapshot, port, queue.frames.data(), queue.lengths.data(), queue.count,
             [&queue](std::uint16_t at) { return queue.by[at]; });
    queue.count = 0;
}

template <typename AttachmentOf>
void Transmitter::transmit(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, const std::uint32_t* lengths,
                           std::uint16_t count, AttachmentOf attachment_of) noexcept {
    const PortEntry& entry = snapshot.ports[port];
    std::uint16_t done = 0;
    while (done < count) {
        const auto left = static_cast<std::uint16_t>(count - done);
        const TransmitResult result = entry.io->transmit(entry.transmit_queue[worker_], frames + done, left);
        const auto sent = static_cast<std::uint16_t>(done + result.taken);
        account_sent(port, lengths, done, sent, attachment_of);
        done = sent;
        if (done == count) break;
        // tx_error speaks of one frame: it goes, those behind it get their chance. Every other reason stops them all.
        const std::uint16_t refused =
            result.reason == DropReason::tx_error ? static_cast<std::uint16_t>(done + 1) : count;
        for (; done < refused; ++done) {
            count_drop(counters_, attachment_of(done), result.reason);
            rte_pktmbuf_free(frames[done]);
        }
    }
}

template <typename AttachmentOf>
void Transmitter::account_sent(PortIndex port, const std::uint32_t* lengths, std::uint16_t first, std::uint16_t end,
                               AttachmentOf attachment_of) noexcept {
    std::uint64_t all_bytes = 0;
    for (std::uint16_t at = first, run = first; at < end; run = at) {
        const AttachmentIndex index = attachment_of(run);
        std::uint64_t bytes = 0;
        for (; at < end && attachment_of(at) == index; ++at) bytes += lengths[at];
        counters_.attachments[index].tx_packets.add(static_cast<std::uint64_t>(at - run));
        counters_.attachments[index].tx_bytes.add(bytes);
        all_bytes += bytes;
    }
    counters_.ports[port].tx_packets.add(static_cast<std::uint64_t>(end - first));
    counters_.ports[port].tx_bytes.add(all_bytes);
    counters_.books.transmitted.add(static_cast<std::uint64_t>(end - first));
}

}  // namespace bulkhead
