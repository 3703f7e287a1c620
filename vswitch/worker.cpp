// SPDX-License-Identifier: Apache-2.0
#include "vswitch/worker.h"

#include <rte_cycles.h>

#include "vswitch/port_io.h"

namespace bulkhead {

Worker::Worker(std::uint16_t number, SnapshotCell& snapshots, MacTable& macs, const SwitchSettings& settings)
    : number_(number),
      snapshots_(snapshots),
      pipeline_(number, macs, counters_, settings.buffers),
      idler_(settings.idle, settings.max_sleep_us) {}

const Snapshot& Worker::refresh() noexcept {
    const Snapshot& snapshot = *snapshots_.read();
    if (snapshot.number != adopted_) [[unlikely]] {
        adopted_ = snapshot.number;
        pipeline_.adopt(snapshot);
        idler_.forget_ports();
    }
    return snapshot;
}

std::uint32_t Worker::round(const Snapshot& snapshot) noexcept {
    std::uint32_t frames = 0;
    for (const ReceiveQueue& queue : snapshot.receive_queues[number_]) {
        batch_.count = snapshot.ports[queue.port].io->receive(queue.queue, batch_.frames.data(), Batch::kCapacity);
        if (batch_.count == 0) continue;
        batch_.port = queue.port;
        frames += batch_.count;
        counters_.bursts.add(1);
        pipeline_.run(batch_, snapshot);
    }
    return frames;
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
    snapshots_.online(number_);
    std::uint64_t before = rte_rdtsc();
    while (!stop.load(std::memory_order_relaxed)) {
        const Snapshot& snapshot = refresh();
        const std::uint32_t frames = round(snapshot);
        const std::uint64_t now = rte_rdtsc();
        (frames > 0 ? counters_.busy_cycles : counters_.idle_cycles).add(now - before);
        before = now;
        if (frames > 0) [[likely]] {
            idler_.reset();
        } else {
            pipeline_.learner().settle(snapshot);
            if (idler_.tired(now)) sleep(snapshot);
        }
        snapshots_.quiescent(number_);
    }
    snapshots_.offline(number_);
}

void Worker::sleep(const Snapshot& snapshot) noexcept {
    const auto& queues = snapshot.receive_queues[number_];
    if (idler_.arm(snapshot, queues)) {
        counters_.sleeps.add(1);
        snapshots_.offline(number_);
        idler_.wait();
        snapshots_.online(number_);
    }
    const Snapshot& current = refresh();
    Idler::disarm(current, current.receive_queues[number_]);
}

void Worker::run_once() noexcept {
    snapshots_.online(number_);
    const Snapshot& snapshot = refresh();
    round(snapshot);
    pipeline_.learner().settle(snapshot);
    snapshots_.offline(number_);
}

}  // namespace bulkhead
