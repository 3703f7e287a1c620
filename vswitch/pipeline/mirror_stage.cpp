// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/mirror_stage.h"

#include <algorithm>
#include <bit>

#include <rte_mbuf.h>

#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/vlan.h"
#include "vswitch/pipeline/flood.h"
#include "vswitch/pipeline/mirror_reach.h"

namespace bulkhead {
namespace {

/// An answer of the switch's own is the only frame that leaves where it, or rather its question, came in.
bool is_answer(const Batch& batch, std::uint16_t row) noexcept {
    return batch.egress[row] == batch.ingress[row];
}

}  // namespace

void MirrorStage::adopt(const Snapshot& snapshot) {
    snapshot_ = &snapshot;
    table_ = snapshot.mirrors.get();
    sender_.adopt(snapshot);
}

void MirrorStage::copy(const Batch& batch, std::uint16_t row, const MirrorEntry& mirror) noexcept {
    if (!sender_.is_open(mirror.target)) return sender_.lose(mirror.index, CopyLoss::mirror_full);
    const rte_mbuf* const frame = batch.frames[row];
    const std::uint32_t tag = batch.tag[row] != 0 ? kVlanTag : 0U;
    const std::uint32_t length = std::min(frame->pkt_len - tag, mirror.snaplen);
    if (copies_ == kCopiesOfBurst || bytes_ + length > kBytesOfBurst) return sender_.lose(mirror.index, CopyLoss::busy);
    ++copies_;
    bytes_ += length;
    rte_mbuf* const made = buffers_ == nullptr ? nullptr : rte_pktmbuf_copy(frame, buffers_, 0, length + tag);
    if (made == nullptr) return sender_.lose(mirror.index, CopyLoss::no_buffer);
    if (tag != 0) pop_vlan(made);
    if (length < frame->pkt_len - tag)
        made->ol_flags &= ~kPendingWork;  // of a frame that is cut off nothing is left to do
    sender_.send(*snapshot_, mirror, made);
}

void MirrorStage::copy_all(const Batch& batch, const MirrorList& mirrors) noexcept {
    if (mirrors.empty()) return;
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row)) copy(batch, row, mirrors);
}

void MirrorStage::watch_entering(const Batch& batch) noexcept {
    copy_all(batch, table_->ports[batch.port].in);
    if (batch.attachment != kNoAttachment)
        return copy_all(batch, table_->segments[snapshot_->attachments[batch.attachment].segment].in);
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row)) copy(batch, row, table_->segments[batch.segment[row]].in);
}

void MirrorStage::ask_rules(const Batch& batch) noexcept {
    if (table_->rules.empty()) return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row)) continue;
        const SegmentMirrors* const mirrors = table_->rules[batch.segment[row]].get();
        if (mirrors == nullptr) continue;
        for (std::uint64_t left = matching_mirrors(batch, row, *snapshot_, *mirrors, scratch_); left != 0;
             left &= left - 1) {
            const std::uint16_t mirror = mirrors->mirrors[static_cast<std::size_t>(std::countr_zero(left))];
            if (mirror != kNoMirror) copy(batch, row, table_->entries[mirror]);
        }
    }
}

void MirrorStage::watch_leaving(const Batch& batch) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row) || batch.egress[row] == Batch::kFlood) continue;
        copy(batch, row, table_->ports[snapshot_->attachments[batch.egress[row]].port].out);
        const MirrorSource& segment = table_->segments[batch.segment[row]];
        copy(batch, row, is_answer(batch, row) ? segment.answers : segment.out);
    }
}

void MirrorStage::watch_flooded(const Batch& batch, std::uint16_t row, std::span<const AttachmentIndex> members,
                                const Flood& flood) noexcept {
    for (const AttachmentIndex member : members)
        if (flood.reaches(member)) copy(batch, row, table_->ports[snapshot_->attachments[member].port].out);
    copy(batch, row, table_->segments[batch.segment[row]].out);
}

void MirrorStage::flush() noexcept {
    if (copies_ == 0) return;
    sender_.flush(*snapshot_);
    copies_ = bytes_ = 0;
}

}  // namespace bulkhead
