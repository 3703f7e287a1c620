// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/host_wire.h"

#include <rte_mbuf.h>

#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/refused_frame.h"
#include "vswitch/pipeline/finish.h"
#include "vswitch/pipeline/transmit_all.h"
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
    transmit_all(
        *entry.io, entry.transmit_queue[worker_], burst.frames.data(), burst.count,
        [&](std::uint16_t first, std::uint16_t end) {
            std::uint64_t bytes = 0;
            for (std::uint16_t at = first; at < end; ++at) bytes += burst.lengths[at];
            counters_.ports[port].tx_packets.add(static_cast<std::uint64_t>(end - first));
            counters_.ports[port].tx_bytes.add(bytes);
            counters_.books.transmitted.add(static_cast<std::uint64_t>(end - first));
        },
        [&](std::uint16_t at, DropReason reason) { drop(port, burst.frames[at], reason); });
    burst.count = 0;
}

void HostWire::drop(PortIndex port, rte_mbuf* frame, DropReason reason) noexcept {
    counters_.ports[port].drops[static_cast<std::size_t>(reason)].add(1);
    counters_.books.drops[static_cast<std::size_t>(reason)].add(1);
    rte_pktmbuf_free(frame);
}

}  // namespace bulkhead
