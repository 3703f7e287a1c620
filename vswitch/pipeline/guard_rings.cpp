// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <optional>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/fingerprint.h"
#include "vswitch/pipeline/ring_stage.h"

namespace bulkhead {
namespace {

std::uint64_t fingerprint_of(const Batch& batch, std::uint16_t row, std::uint64_t secret) noexcept {
    const auto tag_length = static_cast<std::uint16_t>(batch.tag[row] == 0 ? 0 : kVlanTag);
    return fingerprint(batch.frames[row],
                       {.segment = batch.segment[row],
                        .destination = batch.destination[row],
                        .source = batch.source[row],
                        .ethertype = batch.ethertype[row],
                        .length = batch.length[row],
                        .tag_length = tag_length},
                       secret);
}

void take_probe(const rte_mbuf* frame, AttachmentIndex ingress, RingGuard& guard) noexcept {
    RingProbeFrame scratch;
    const auto size = static_cast<std::uint32_t>(scratch.size());
    const void* const bytes = frame->pkt_len < size ? nullptr : rte_pktmbuf_read(frame, 0, size, scratch.data());
    if (bytes == nullptr) return;
    const auto probe = read_ring_probe({static_cast<const std::uint8_t*>(bytes), size});
    if (probe) guard.hand_up({*probe, ingress});
}

std::uint64_t clock_ms() noexcept {
    return rte_rdtsc() / (rte_get_tsc_hz() / 1000);
}

/// The verdict about what is not flooded, for which no other frame has to be remembered; nothing: it is flooded.
std::optional<DropReason> verdict_alone(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                        const LinkCuts& cuts) noexcept {
    const AttachmentIndex index = batch.ingress[row];
    if (is_ring_probe(batch.destination[row], batch.ethertype[row])) return DropReason::ring_probe;
    if (snapshot.attachments[index].is_guarded_link && cuts.is_cut(index)) return DropReason::spoke_cut;
    const AttachmentIndex egress = batch.destination_entry(row).attachment();
    const bool is_known = egress < snapshot.attachments.size() &&
                          snapshot.attachments[egress].segment == batch.segment[row] &&
                          !is_multicast(batch.destination[row]);
    if (!is_known) return std::nullopt;
    return cuts.is_cut(egress) ? DropReason::spoke_cut : DropReason::none;
}

DropReason judge(const Batch& batch, std::uint16_t row, const Snapshot& snapshot, RingGuard& guard,
                 std::uint64_t now_ms) noexcept {
    const AttachmentIndex index = batch.ingress[row];
    const AttachmentEntry& ingress = snapshot.attachments[index];
    if (const auto verdict = verdict_alone(batch, row, snapshot, guard.cuts())) {
        if (*verdict == DropReason::ring_probe && ingress.is_guarded_link) take_probe(batch.frames[row], index, guard);
        return *verdict;
    }
    const std::uint64_t print = fingerprint_of(batch, row, guard.secret());
    // What a pod sends is new, even if it repeats what another said.
    if (!ingress.leads_on) {
        guard.memory().remember(print, index, now_ms);
        return DropReason::none;
    }
    if (!guard.memory().is_duplicate(print, index, now_ms)) return DropReason::none;
    if (ingress.is_guarded_link) guard.report(index);
    return DropReason::duplicate_flood;
}

}  // namespace

void guard_rings(Batch& batch, const Snapshot& snapshot, RingGuard& guard) noexcept {
    const std::uint64_t now_ms = clock_ms();
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row) || !snapshot.segments[batch.segment[row]].is_guarded) continue;
        const DropReason reason = judge(batch, row, snapshot, guard, now_ms);
        if (reason != DropReason::none) batch.drop(row, reason);
    }
}

DropReason would_guard(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                       const RingGuard& guard) noexcept {
    if (!snapshot.segments[batch.segment[row]].is_guarded) return DropReason::none;
    if (const auto verdict = verdict_alone(batch, row, snapshot, guard.cuts())) return *verdict;
    const AttachmentIndex index = batch.ingress[row];
    const bool is_copy =
        snapshot.attachments[index].leads_on &&
        guard.memory().was_seen_elsewhere(fingerprint_of(batch, row, guard.secret()), index, clock_ms());
    return is_copy ? DropReason::duplicate_flood : DropReason::none;
}

rte_mbuf* ring_probe_frame(const RingProbe& probe, rte_mempool* buffers) noexcept {
    rte_mbuf* const frame = rte_pktmbuf_alloc(buffers);
    if (frame == nullptr) return nullptr;
    const RingProbeFrame bytes = write_ring_probe(probe);
    char* const room = rte_pktmbuf_append(frame, bytes.size());
    if (room == nullptr) {
        rte_pktmbuf_free(frame);
        return nullptr;
    }
    std::memcpy(room, bytes.data(), bytes.size());
    return frame;
}

bool leaves_by(const RingGuard::Probe& probe, const Snapshot& snapshot) noexcept {
    if (probe.attachment >= snapshot.attachments.size()) return false;
    const AttachmentEntry& egress = snapshot.attachments[probe.attachment];
    return egress.is_guarded_link && egress.vni == probe.probe.vni && snapshot.ports[egress.port].tunnel != nullptr;
}

}  // namespace bulkhead
