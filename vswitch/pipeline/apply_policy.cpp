// SPDX-License-Identifier: Apache-2.0
// The verdict where it is nearly always the same: the frame is of a connection, or meets a rule, and passes. All others
// are judged closely (judge_closely.cpp).
#include "vswitch/pipeline/apply_policy.h"

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/policy/brief.h"
#include "vswitch/policy/connection_track.h"

namespace bulkhead {
namespace {

using Rows = Batch::Column<std::uint16_t>;

/// A burst of one segment that came by one attachment.
struct Burst {
    const Batch& batch;
    const SegmentPolicy& policy;
    const AttachmentEntry& ingress;
    MirrorStage* mirrors;  ///< null: no rule is a mirror's source
    Rows& left;            ///< those rows that are not simply let pass
};

Brief brief_of(const Batch& batch, std::uint16_t row) noexcept {
    const rte_mbuf* const frame = batch.frames[row];
    if (frame->data_len < kBriefOctets || batch.egress[row] == Batch::kFlood) [[unlikely]]
        return {};
    return read_brief(rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->pkt_len, batch.ethertype[row]);
}

void count(WorkerCounters& counters, const CompiledRule& rule, const Burst& burst, std::uint16_t row) noexcept {
    RuleCounters& counted = counters.rules[rule.index];
    counted.packets.add(1);
    counted.bytes.add(burst.batch.length[row]);
    if (burst.mirrors != nullptr) [[unlikely]]
        burst.mirrors->note_decided(burst.batch, row, rule.index);
}

/// Whether the packet changes nothing of its connection's status, which was touched in this second already.
bool goes_on(std::uint64_t status, const Brief& brief, bool from_low, std::uint32_t now_s) noexcept {
    const auto now = ConnectionStatus::of(status);
    if (now.seen_s != now_s) return false;
    if (brief.protocol == kProtocolTcp) return now.state == ConnectionState::established && brief.only_carries_on();
    return now.state == ConnectionState::answered ||
           (now.state == ConnectionState::fresh && from_low == now.opened_from_low);
}

/// Lets those pass that are of open connections. Returns how many are left.
std::uint16_t pass_connections(const Burst& burst, ConnectionTable& connections, std::uint32_t now_s,
                               WorkerCounters& counters) noexcept {
    const Batch& batch = burst.batch;
    const std::uint16_t rows = batch.count;
    Batch::Column<Brief> briefs;
    Batch::Column<BriefKey> keys;
    Batch::Column<std::uint64_t> hashes;
    Batch::Column<Connection*> found;
    for (std::uint16_t row = 0; row < rows; ++row) {
        briefs[row] = brief_of(batch, row);
        keys[row] = brief_key(briefs[row], burst.ingress.segment);
        hashes[row] = connections.hash_v4(keys[row].addresses, keys[row].rest);
        connections.prefetch(hashes[row]);
    }
    for (std::uint16_t row = 0; row < rows; ++row) {
        found[row] = &connections.nearest(hashes[row]);
        __builtin_prefetch(found[row], 1);
    }
    std::uint16_t left = 0;
    for (std::uint16_t row = 0; row < rows; ++row) {
        const Brief& brief = briefs[row];
        Connection& connection = *found[row];
        const std::uint64_t origin = connection.origin.load(std::memory_order_relaxed);
        const CompiledRule* const rule = burst.policy.rules->find(ConnectionOrigin::of(origin).rule);
        burst.left[left] = row;
        const bool passes =
            brief.is_usual && connection.is_v4(keys[row].addresses, keys[row].rest) &&
            goes_on(connection.status.load(std::memory_order_relaxed), brief, keys[row].from_low, now_s) &&
            ConnectionOrigin::of(origin).generation == burst.policy.generation && rule->action == PolicyAction::allow;
        if (!passes) [[unlikely]] {
            ++left;
            continue;
        }
        if (brief.protocol == kProtocolTcp) note_sequence(connection, keys[row].from_low, brief.end);
        count(counters, *rule, burst, row);
    }
    return left;
}

/// Lets those pass that a rule allows, where no rule has state.
template <unsigned kWords>
std::uint16_t pass_by_rules(const Burst& burst, const Snapshot& snapshot, WorkerCounters& counters) noexcept {
    const Batch& batch = burst.batch;
    const RuleSet& rules = *burst.policy.rules;
    const GroupClass* const groups = snapshot.group_classes.data();
    const GroupClass from = groups[batch.attachment];
    const std::uint16_t rows = batch.count;
    // Loop by loop: what one frame waits for is then what a CPU does for the next ones.
    Batch::Column<Brief> briefs;
    for (std::uint16_t row = 0; row < rows; ++row) briefs[row] = brief_of(batch, row);
    RuleSet::Usual<kWords> usual(rules);
    Batch::Column<const CompiledRule*> met;
    for (std::uint16_t row = 0; row < rows; ++row) {
        const Brief& brief = briefs[row];
        const GroupClass to = brief.is_usual ? groups[batch.egress[row]] : GroupClass{0};
        met[row] = &usual.first_match({.source = brief.source(),
                                       .destination = brief.destination(),
                                       .source_port = brief.source_port(),
                                       .destination_port = brief.destination_port(),
                                       .protocol = brief.protocol},
                                      from, to);
    }
    std::uint16_t left = 0;
    for (std::uint16_t row = 0; row < rows; ++row) {
        burst.left[left] = row;
        if (!briefs[row].is_usual || !met[row]->simply_allows) [[unlikely]] {
            ++left;
            continue;
        }
        count(counters, *met[row], burst, row);
    }
    return left;
}

}  // namespace

BULKHEAD_CPU_CLONES std::uint16_t PolicyStage::pass_usual(const Batch& batch, const Snapshot& snapshot,
                                                          const SegmentPolicy& policy) noexcept {
    const Burst burst{batch, policy, snapshot.attachments[batch.attachment], mirrors_, left_};
    if (policy.rules->has_stateful()) return pass_connections(burst, connections_, macs_.now_s(), counters_);
    if (policy.rules->words() <= 1) return pass_by_rules<1>(burst, snapshot, counters_);
    if (policy.rules->words() <= 2) return pass_by_rules<2>(burst, snapshot, counters_);
    return pass_by_rules<0>(burst, snapshot, counters_);
}

void PolicyStage::judge(Batch& batch, const Snapshot& snapshot) noexcept {
    std::uint16_t rest = 0;
    if (batch.attachment != kNoAttachment) {
        const AttachmentEntry& ingress = snapshot.attachments[batch.attachment];
        const SegmentPolicy* const policy = snapshot.segments[ingress.segment].policy.get();
        if (policy == nullptr) return;
        const bool is_of_one_group = !ingress.is_middlebox && !ingress.trusts_groups;
        if (batch.intact && is_of_one_group && policy->rules->has_usual_way()) [[likely]] {
            rest = pass_usual(batch, snapshot, *policy);
            return judge_closely(batch, snapshot, {left_.data(), rest});
        }
    }
    for (std::uint16_t row = 0; row < batch.count; ++row)
        if (batch.alive(row)) left_[rest++] = row;
    judge_closely(batch, snapshot, {left_.data(), rest});
}

}  // namespace bulkhead
