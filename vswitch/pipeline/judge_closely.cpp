// SPDX-License-Identifier: Apache-2.0
// The verdict about frames that are not the usual ones, or that open connections, are denied, or take a detour.
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "vswitch/pipeline/apply_policy.h"
#include "vswitch/pipeline/policy_reach.h"
#include "vswitch/pipeline/policy_record.h"

namespace bulkhead {
namespace {

/// Whether the rule is to tell of the frame. What is of an open connection has another ground, and so have later
/// fragments: their packet has been told of.
bool is_logged(const SegmentPolicy& policy, const Decision& decision) noexcept {
    return decision.ground == Ground::rule && (*policy.rules)[decision.rule].log;
}

}  // namespace

PolicyStage::PolicyStage(ConnectionTable& connections, FragmentMemory& fragments, const MacTable& macs,
                         WorkerCounters& counters)
    : judge_(connections, fragments),
      connections_(connections),
      macs_(macs),
      counters_(counters),
      log_(rte_get_tsc_hz()) {}

std::span<const std::uint8_t> PolicyStage::quoting(const Batch& batch, std::uint16_t row) noexcept {
    if (candidates_[row].flow.role != FlowRole::error) [[likely]]
        return {};
    return headers_of(batch.frames[row], scratch_);
}

void PolicyStage::read_headers(const Batch& batch, std::span<const std::uint16_t> rows,
                               const Snapshot& snapshot) noexcept {
    for (const std::uint16_t row : rows) {
        policies_[row] = snapshot.segments[batch.segment[row]].policy.get();
        if (policies_[row] == nullptr) continue;
        Candidate& candidate = candidates_[row];
        candidate.flow.segment = batch.segment[row];
        dissect(headers_of(batch.frames[row], scratch_), batch.frames[row]->pkt_len, candidate.flow);
        judge_.name_connection(*policies_[row], candidate);
        if (candidate.is_tracked) connections_.prefetch(candidate.hash);
    }
    for (const std::uint16_t row : rows)
        if (policies_[row] != nullptr && candidates_[row].is_tracked)
            connections_.prefetch_connection(candidates_[row].hash);
}

void PolicyStage::count(const SegmentPolicy& policy, std::uint16_t rule, const Batch& batch,
                        std::uint16_t row) noexcept {
    if (rule == RuleSet::kNone) return;
    RuleCounters& counted = counters_.rules[(*policy.rules)[rule].index];
    counted.packets.add(1);
    counted.bytes.add(batch.length[row]);
    if (mirrors_ != nullptr) [[unlikely]]
        mirrors_->note_decided(batch, row, (*policy.rules)[rule].index);
}

void PolicyStage::log(const Batch& batch, std::uint16_t row, const CompiledRule& rule, DropReason reason) noexcept {
    const std::uint64_t now = rte_rdtsc();
    if (!log_.has_share(batch.ingress[row], rule.index, now)) return;
    const auto headers = headers_of(batch.frames[row], scratch_);
    log_.tell(policy_record(batch, row, candidates_[row].flow, headers, rule, reason, now));
}

/// Once for each rule, to however many receivers it speaks. What they allow may end for another `reason`.
void PolicyStage::log_all(const Batch& batch, std::uint16_t row, const SegmentPolicy& policy,
                          DropReason reason) noexcept {
    for (const auto& [rule, said] : logging_) {
        is_logging_.reset(rule);
        log(batch, row, (*policy.rules)[rule], said == DropReason::none ? reason : said);
    }
    logging_.clear();
}

void PolicyStage::judge_unicast(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept {
    const SegmentPolicy& policy = *policies_[row];
    const std::uint32_t now = macs_.now_s();
    const FlowEnds ends = ends_of(batch, row, snapshot, batch.egress[row]);
    const Decision decision = judge_.decide(policy, candidates_[row], ends, quoting(batch, row), now);
    count(policy, decision.rule, batch, row);
    const PortIndex port = snapshot.attachments[batch.ingress[row]].port;
    const DropReason reason =
        judge_.carry_out(policy, candidates_[row], decision, port, snapshot.connection_shares[port], now);
    if (is_logged(policy, decision)) [[unlikely]]
        log(batch, row, (*policy.rules)[decision.rule], reason);
    if (reason != DropReason::none) return batch.drop(row, reason);
    const Detour detour = detour_of(policy, decision.rule, batch.ingress[row]);
    if (!detour.is_one) [[likely]]
        return;
    const DropReason obstacle = detour.obstacle(snapshot, batch.inner_vlan[row]);
    if (obstacle != DropReason::none) return batch.drop(row, obstacle);
    batch.egress[row] = detour.to;
    batch.leaves_as_is = false;
}

void PolicyStage::judge_closely(Batch& batch, const Snapshot& snapshot, std::span<const std::uint16_t> rows) noexcept {
    read_headers(batch, rows, snapshot);
    for (const std::uint16_t row : rows)
        if (policies_[row] != nullptr && batch.egress[row] != Batch::kFlood) judge_unicast(batch, row, snapshot);
}

void PolicyStage::weed_recipients(Batch& batch, std::uint16_t row, const Snapshot& snapshot) noexcept {
    const SegmentPolicy& policy = *policies_[row];
    const Candidate& candidate = candidates_[row];
    const std::uint32_t now = macs_.now_s();
    const Hearing hearing{.judge = judge_,
                          .snapshot = snapshot,
                          .policy = policy,
                          .candidate = candidate,
                          .frame = quoting(batch, row),
                          .now_s = now};
    const auto found = [&](AttachmentIndex, const Hearing::Finding& finding) {
        const Decision& decision = finding.decision;
        if (!is_logged(policy, decision) || is_logging_.test(decision.rule)) return;
        is_logging_.set(decision.rule);
        logging_.emplace_back(decision.rule, decision.reason);
    };
    const Decision decisive = weed(hearing, batch, row, recipients_, found);
    count(policy, decisive.rule, batch, row);
    const PortIndex port = snapshot.attachments[batch.ingress[row]].port;
    DropReason reason = judge_.carry_out(policy, candidate, decisive, port, snapshot.connection_shares[port], now);
    if (!logging_.empty()) [[unlikely]]
        log_all(batch, row, policy, reason);
    if (reason == DropReason::none && recipients_.empty()) reason = DropReason::port_gone;
    if (reason == DropReason::none) return;
    recipients_.clear();
    batch.drop(row, reason);
}

}  // namespace bulkhead
