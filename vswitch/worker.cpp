// SPDX-License-Identifier: Apache-2.0
#include "vswitch/worker.h"

#include <rte_cycles.h>

#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

/// A port's allowance of a round: about what a burst of small frames takes.
constexpr std::uint64_t kTurnsPerSecond = 200'000;

}  // namespace

Worker::Worker(std::uint16_t number, SnapshotCell& snapshots, const Pipeline::Shared& shared,
               const SwitchSettings& settings)
    : number_(number),
      snapshots_(snapshots),
      pipeline_(number, shared, counters_),
      idler_(settings.idle, settings.max_sleep_us),
      turns_(rte_get_tsc_hz() / kTurnsPerSecond) {}

const Snapshot& Worker::refresh() noexcept {
    const Snapshot& snapshot = *snapshots_.read();
    if (snapshot.number != adopted_) [[unlikely]] {
        adopted_ = snapshot.number;
        pipeline_.adopt(snapshot);
        idler_.forget_ports();
        turns_.adopt(snapshot.receive_queues[number_]);
    }
    return snapshot;
}

inline std::uint16_t Worker::serve(const Snapshot& snapshot, const ReceiveQueue& queue, std::uint16_t most) noexcept {
    batch_.count = snapshot.ports[queue.port].io->receive(queue.queue, batch_.frames.data(), most);
    if (batch_.count == 0) return 0;
    const std::uint16_t received = batch_.count;
    batch_.port = queue.port;
    counters_.bursts.add(1);
    pipeline_.run(batch_, snapshot);
    return received;
}

std::uint32_t Worker::poll(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept {
    std::uint32_t frames = 0;
    for (const ReceiveQueue& queue : queues) frames += serve(snapshot, queue, Batch::kCapacity);
    return frames;
}

std::uint32_t Worker::poll(const Snapshot& snapshot) noexcept {
    return turns_.round(
        Batch::kCapacity, [&](const ReceiveQueue& queue, std::uint16_t most) { return serve(snapshot, queue, most); },
        [] { return rte_rdtsc(); });
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
    snapshots_.online(number_);
    std::uint64_t before = rte_rdtsc();
    while (!stop.load(std::memory_order_relaxed)) {
        const Snapshot& snapshot = refresh();
        const std::uint32_t frames = poll(snapshot);
        const std::uint64_t now = rte_rdtsc();
        (frames > 0 ? counters_.busy_cycles : counters_.idle_cycles).add(now - before);
        before = now;
        if (frames > 0) [[likely]] {
            idler_.reset();
        } else {
            pipeline_.settle(snapshot);
            if (idler_.tired(now)) {
                sleep(snapshot);
                before = rte_rdtsc();  // else the round that is woken by a frame would count the sleep as work
                counters_.idle_cycles.add(before - now);
            }
        }
        snapshots_.quiescent(number_);
    }
    snapshots_.offline(number_);
}

void Worker::sleep(const Snapshot& snapshot) noexcept {
    bool quiet = idler_.arm(snapshot, snapshot.receive_queues[number_]);
    while (quiet) {
        counters_.sleeps.add(1);
        snapshots_.offline(number_);
        const bool woken = idler_.wait();
        snapshots_.online(number_);
        const std::uint64_t slept_by = adopted_;
        const Snapshot& current = refresh();
        if (woken || adopted_ != slept_by) break;
        // The armed queues are as quiet as they were: a look at those that can't wake us is all that is due.
        if (poll(current, idler_.mute_queues()) > 0) {
            idler_.reset();
            quiet = false;
        }
        pipeline_.settle(current);
    }
    const Snapshot& current = refresh();
    Idler::disarm(current, current.receive_queues[number_]);
}

void Worker::run_once() noexcept {
    snapshots_.online(number_);
    const Snapshot& snapshot = refresh();
    poll(snapshot);
    pipeline_.settle(snapshot);
    snapshots_.offline(number_);
}

}  // namespace bulkhead
