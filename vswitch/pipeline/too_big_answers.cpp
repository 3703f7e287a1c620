// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/too_big_answers.h"

#include <algorithm>
#include <utility>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "vswitch/packet/vlan.h"
#include "vswitch/pipeline/answer_frame.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/pipeline/transmitter.h"

namespace bulkhead {
namespace {

std::span<const std::uint8_t> octets_of(const rte_mbuf* frame) noexcept {
    return {rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len};
}

/// The tag that an answer has inside its segment, as Batch::inner_vlan has it.
std::uint16_t inner_vlan_of(const rte_mbuf* frame) noexcept {
    const auto octets = octets_of(frame);
    const auto type = load_big_endian<std::uint16_t>(&octets[kMacPair]);
    return is_vlan_ethertype(type) ? inner_vlan(type, load_big_endian<std::uint16_t>(&octets[kMacPair + 2]))
                                   : Batch::kUntagged;
}

}  // namespace

TooBigAnswers::~TooBigAnswers() {
    for (std::uint32_t at = 0; at < count_; ++at) rte_pktmbuf_free(due_[at].frame);
}

bool TooBigAnswers::is_due_already(const Due& candidate) const noexcept {
    const auto addresses = octets_of(candidate.frame).first(candidate.addresses);
    return std::any_of(due_.begin(), due_.begin() + count_, [&](const Due& other) {
        return other.segment == candidate.segment && other.addresses == candidate.addresses &&
               std::ranges::equal(octets_of(other.frame).first(other.addresses), addresses);
    });
}

void TooBigAnswers::note(const Snapshot& snapshot, AttachmentIndex egress, const rte_mbuf* frame) noexcept {
    const AttachmentEntry& attachment = snapshot.attachments[egress];
    note({attachment.segment, snapshot.ports[attachment.port].tunnel->longest_frame, attachment.mtu}, frame);
}

void TooBigAnswers::note_dropped(const Snapshot& snapshot, const Batch& batch) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (batch.verdict[row] != DropReason::mtu_exceeded) continue;
        const std::uint16_t mtu = snapshot.attachments[batch.ingress[row]].mtu;
        const auto tag = static_cast<std::uint32_t>(batch.inner_vlan[row] == Batch::kUntagged ? 0 : kVlanTag);
        note({batch.segment[row], kEthernetHeader + tag + mtu, mtu}, batch.frames[row]);
    }
}

void TooBigAnswers::note(const Limit& limit, const rte_mbuf* frame) noexcept {
    if (looked_at_ == due_.size()) return;
    ++looked_at_;
    const Due due = answer(limit, frame);
    if (due.frame == nullptr) return;
    const std::uint64_t now_ms = rte_rdtsc() / (rte_get_tsc_hz() / 1000);
    if (is_due_already(due) || !bucket_.take(now_ms)) return rte_pktmbuf_free(due.frame);
    due_[count_++] = due;
}

TooBigAnswers::Due TooBigAnswers::answer(const Limit& limit, const rte_mbuf* frame) const noexcept {
    std::array<std::uint8_t, kReadOfTooBig> scratch;
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len, scratch.size()));
    const std::span octets(static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch.data())),
                           length);
    const auto answer = answer_too_big(octets, frame->pkt_len, limit.longest_frame, limit.longest_packet);
    if (!answer) return {};
    rte_mbuf* const made =
        answer_frame(octets.first(answer->asked.length), answer->asked.source, answer->asked.destination,
                     std::span(answer->packet).first(answer->length), buffers_);
    return {made, limit.segment, static_cast<std::uint16_t>(answer->asked.length + answer->addresses)};
}

void TooBigAnswers::send(const Snapshot& snapshot, Transmitter& transmitter, WorkerCounters& counters) noexcept {
    const std::uint32_t count = std::exchange(count_, 0);
    looked_at_ = 0;
    for (const Due& due : std::span(due_).first(count)) {
        const std::uint64_t source = load_big_endian<std::uint64_t>(octets_of(due.frame).data()) >> 16;
        const AttachmentIndex home = macs_.find(mac_key(due.segment, source)).attachment();
        const std::uint16_t inner_vlan = inner_vlan_of(due.frame);
        const AttachmentEntry* const entry = home < snapshot.attachments.size() ? &snapshot.attachments[home] : nullptr;
        const bool is_reachable = entry != nullptr && entry->segment == due.segment &&
                                  snapshot.ports[entry->port].io != nullptr && accepts_tag(*entry, inner_vlan);
        const bool wants_tag = is_reachable && entry->vlan != 0 && !(entry->keeps_tag && entry->vlan == inner_vlan);
        if (!is_reachable || (wants_tag && !push_vlan(due.frame, entry->vlan))) {
            rte_pktmbuf_free(due.frame);
            continue;
        }
        counters.books.originated.add(1);
        transmitter.send(snapshot, home, kNoGroupId, due.frame);
    }
}

}  // namespace bulkhead
