// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/too_big_answers.h"

#include <algorithm>
#include <utility>

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

void TooBigAnswers::note(const Snapshot& snapshot, AttachmentIndex egress, const rte_mbuf* frame,
                         std::uint64_t now_ms) noexcept {
    if (looked_at_ == due_.size()) return;
    ++looked_at_;
    const Due due = answer(snapshot, snapshot.attachments[egress], frame);
    if (due.frame == nullptr) return;
    if (is_due_already(due) || !bucket_.take(now_ms)) return rte_pktmbuf_free(due.frame);
    due_[count_++] = due;
}

TooBigAnswers::Due TooBigAnswers::answer(const Snapshot& snapshot, const AttachmentEntry& egress,
                                         const rte_mbuf* frame) const noexcept {
    std::array<std::uint8_t, kReadOfTooBig> scratch;
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len, scratch.size()));
    const std::span octets(static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch.data())),
                           length);
    const auto answer =
        answer_too_big(octets, frame->pkt_len, snapshot.ports[egress.port].tunnel->longest_frame, egress.mtu);
    if (!answer) return {};
    rte_mbuf* const made =
        answer_frame(octets.first(answer->asked.length), answer->asked.source, answer->asked.destination,
                     std::span(answer->packet).first(answer->length), buffers_);
    return {made, egress.segment, static_cast<std::uint16_t>(answer->asked.length + answer->addresses)};
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
        transmitter.send(snapshot, home, due.frame);
    }
}

}  // namespace bulkhead
