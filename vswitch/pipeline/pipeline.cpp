// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/pipeline.h"

#include "vswitch/pipeline/account.h"
#include "vswitch/pipeline/decapsulate.h"
#include "vswitch/pipeline/deliver.h"
#include "vswitch/pipeline/limit_rates.h"
#include "vswitch/pipeline/ring_stage.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {

Pipeline::Pipeline(std::uint16_t worker, const Shared& shared, WorkerCounters& counters)
    : worker_(worker),
      macs_(shared.macs),
      exchange_(shared.exchange),
      rings_(shared.rings),
      counters_(counters),
      buffers_(shared.buffers),
      learner_(macs_),
      too_big_(macs_, buffers_),
      transmitter_(worker, counters, buffers_, shared.next_hops, too_big_),
      wire_(worker, counters, buffers_),
      policy_(shared.connections, shared.fragments, macs_, counters),
      mirrors_(worker, counters, shared.copies, shared.next_hops) {}

void Pipeline::adopt(const Snapshot& snapshot) {
    learner_.forget();
    transmitter_.adopt(snapshot);
    mirrors_.adopt(snapshot);
    policy_.adopt(snapshot, &mirrors_);
}

void Pipeline::run(Batch& batch, const Snapshot& snapshot) noexcept {
    PortLimiter* const limiter = snapshot.ports[batch.port].limiter.get();
    const bool mirrors = snapshot.mirrors != nullptr;
    batch.is_decapsulated = snapshot.ports[batch.port].underlay != nullptr;
    if (batch.is_decapsulated) [[unlikely]]
        decapsulate(batch, snapshot, counters_, exchange_, wire_);  // outer header, VNI → tunnel and segment
    if (batch.count == 0) return settle(snapshot);
    parse(batch);
    assign_segment(batch, snapshot, buffers_);  // (port, VLAN) → attachment → segment
    account_received(batch, snapshot, counters_);
    if (limiter != nullptr) [[unlikely]]
        limit_received(batch, *limiter);  // no more than the port may send
    if (mirrors) [[unlikely]]
        mirrors_.watch_entering(batch);  // copies of what came in, whatever becomes of it
    if (snapshot.has_secured) [[unlikely]]
        check_port_security(batch, snapshot);  // source MAC, IP, ARP and ND sender are the attachment's own
    find_macs(batch, macs_);
    if (snapshot.exchanges_groups) [[unlikely]]
        identify_senders(batch, snapshot);  // the group of whom a frame is from, for tunnels that tell it
    if (snapshot.has_guarded) [[unlikely]]
        guard_rings(batch, snapshot, rings_);  // first copies only, nothing by links that are cut
    learn(batch, snapshot, macs_, learner_);   // new or moved sources are noted; nothing is written per frame
    lookup(batch, snapshot);                   // unicast, flood, or drop
    if (limiter != nullptr) [[unlikely]]
        limit_flooded(batch, *limiter);  // no storm
    if (mirrors) [[unlikely]]
        mirrors_.ask_rules(batch);  // copies of what rules say
    if (snapshot.has_policies) [[unlikely]]
        policy_.judge(batch, snapshot);                            // groups, rules, connections
    answer_requests(batch, snapshot, macs_, counters_, buffers_);  // ARP and ND, for whom the controller told us of
    if (mirrors) [[unlikely]]
        mirrors_.watch_leaving(batch);  // copies of what goes out
    // Split horizon, never back, no payload copies.
    replicate(batch, snapshot, policy_, transmitter_, counters_, buffers_, mirrors ? &mirrors_ : nullptr);
    if (!batch.intact) [[unlikely]] {
        too_big_.note_dropped(snapshot, batch);
        sweep_dropped(batch, counters_);
    }
    settle(snapshot);
}

void Pipeline::send_probes(const Snapshot& snapshot) noexcept {
    for (RingGuard::Probe next; rings_.next_to_send(next);) {
        rte_mbuf* const frame = leaves_by(next, snapshot) ? ring_probe_frame(next.probe, buffers_) : nullptr;
        if (frame == nullptr) continue;
        counters_.books.originated.add(1);
        transmitter_.send(snapshot, next.attachment, kNoGroupId, frame);
    }
}

void Pipeline::settle(const Snapshot& snapshot) noexcept {
    if (worker_ == 0 && snapshot.has_guarded) [[unlikely]]
        send_probes(snapshot);
    transmitter_.flush(snapshot);
    mirrors_.flush();
    learner_.settle(snapshot);
    if (too_big_.are_due()) [[unlikely]] {
        too_big_.send(snapshot, transmitter_, counters_);
        transmitter_.flush(snapshot);
    }
    if (worker_ != 0) return;
    for (auto next = exchange_.next_to_send(); next.frame != nullptr; next = exchange_.next_to_send())
        transmitter_.originate(snapshot, next.nic, next.frame);
}

}  // namespace bulkhead
