// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/host_wire.h"

#include <rte_mbuf.h>

#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/refused_frame.h"
#include "vswitch/pipeline/finish.h"
#include "vswitch/port_io.h"

namespace bulkhead {

void HostWire::send(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, std::uint16_t count) noexcept {
    const PortEntry& entry = snapshot.ports[port];
    if (entry.io == nullptr) {
        for (std::uint16_t at = 0; at < count; ++at) drop(port, frames[at], DropReason::port_gone);
        return;
    }
    const std::uint32_t offloads = entry.io->offloads();
    Burst burst;
    for (std::uint16_t at = 0; at < count; ++at) {
        if (is_refused(*frames[at])) [[unlikely]]
            drop(port, frames[at], DropReason::bad_offload);
        else if (is_demanding(frames[at]) && !fits(frames[at], offloads))
            add_finished(entry, port, frames[at], burst);
        else
            add(entry, port, frames[at], burst);
    }
    transmit(entry, port, burst);
}

void HostWire::add(const PortEntry& entry, PortIndex port, rte_mbuf* frame, Burst& burst) noexcept {
    if (burst.count == burst.frames.size()) transmit(entry, port, burst);
    burst.frames[burst.count] = frame;
    burst.lengths[burst.count++] = frame->pkt_len;
}

void HostWire::add_finished(const PortEntry& entry, PortIndex port, rte_mbuf* frame, Burst& burst) noexcept {
    std::array<rte_mbuf*, kMaxSegmentsOfFrame> made;
    const Finished finished = finish(frame, entry.io->offloads(), buffers_, made.data());
    if (finished.count == 0) return drop(port, frame, finished.reason);
    counters_.books.copies.add(finished.count - 1U);
    for (std::uint16_t at = 0; at < finished.count; ++at) add(entry, port, made[at], burst);
}

void HostWire::transmit(const PortEntry& entry, PortIndex port, Burst& burst) noexcept {
    std::uint16_t done = 0;
    while (done < burst.count) {
        const auto left = static_cast<std::uint16_t>(burst.count - done);
        const TransmitResult result =
            entry.io->transmit(entry.transmit_queue[worker_], burst.frames.data() + done, left);
        std::uint64_t bytes = 0;
        for (std::uint16_t at = done; at < done + result.taken; ++at) bytes += burst.lengths[at];
        counters_.ports[port].tx_packets.add(result.taken);
        counters_.ports[port].tx_bytes.add(bytes);
        counters_.books.transmitted.add(result.taken);
        done = static_cast<std::uint16_t>(done + result.taken);
        if (done == burst.count) break;
        // tx_error speaks of one frame: it goes, those behind it get their chance. Every other reason stops them all.
        const std::uint16_t refused =
            result.reason == DropReason::tx_error ? static_cast<std::uint16_t>(done + 1) : burst.count;
        for (; done < refused; ++done) drop(port, burst.frames[done], result.reason);
    }
    burst.count = 0;
}

void HostWire::drop(PortIndex port, rte_mbuf* frame, DropReason reason) noexcept {
    counters_.ports[port].drops[static_cast<std::size_t>(reason)].add(1);
    counters_.books.drops[static_cast<std::size_t>(reason)].add(1);
    rte_pktmbuf_free(frame);
}

}  // namespace bulkhead
