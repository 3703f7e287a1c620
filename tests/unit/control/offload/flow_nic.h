// SPDX-License-Identifier: Apache-2.0
// A NIC with flow rules, as simple as can be, and as unreliable as a test wants it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/offload/flow_device.h"

namespace bulkhead::test {

class FlowNic final : public FlowDevice {
  public:
    using Fate = FlowShape::Fate;

    [[nodiscard]] std::string port() const override { return "nic"; }
    [[nodiscard]] std::string driver() const override { return "net_test"; }
    [[nodiscard]] std::uint16_t queues() const override { return queue_count; }

    [[nodiscard]] FlowAnswer<> validate(const FlowRule&, const FlowShape& shape) override {
        if (std::ranges::find(accepted, shape) == accepted.end())
            return std::unexpected(FlowRefusal{.words = "action not supported"});
        return {};
    }
    [[nodiscard]] FlowAnswer<Handle> create(const FlowRule& rule, const FlowShape& shape) override {
        std::this_thread::sleep_for(latency.load());
        const std::scoped_lock lock(mutex_);
        if (std::ranges::find(accepted, shape) == accepted.end())
            return std::unexpected(FlowRefusal{.words = "action not supported"});
        if (take(refuse)) return std::unexpected(FlowRefusal{.words = "the device says no"});
        if (take(no_space) || rules_.size() >= capacity)
            return std::unexpected(FlowRefusal{.words = "no space", .is_full = true});
        ++creations;
        rules_[++last_] = rule;
        return last_;
    }
    [[nodiscard]] FlowAnswer<> destroy(Handle handle) override {
        std::this_thread::sleep_for(latency.load());
        const std::scoped_lock lock(mutex_);
        if (!rules_.contains(handle)) return std::unexpected(FlowRefusal{.words = "no such rule", .is_gone = true});
        if (take(keep)) return std::unexpected(FlowRefusal{.words = "it stays"});
        ++destructions;
        rules_.erase(handle);
        return {};
    }
    [[nodiscard]] FlowAnswer<FlowHits> hits(Handle handle) override {
        const std::scoped_lock lock(mutex_);
        if (!rules_.contains(handle)) return std::unexpected(FlowRefusal{.words = "no such rule", .is_gone = true});
        return FlowHits{.packets = 7, .bytes = 700};
    }
    [[nodiscard]] FlowAnswer<> flush() override {
        const std::scoped_lock lock(mutex_);
        if (is_stubborn) return std::unexpected(FlowRefusal{.words = "not even all of them"});
        rules_.clear();
        return {};
    }
    [[nodiscard]] std::uint32_t resets() const noexcept override { return resets_; }
    void keep_marks(bool keeps) noexcept override { marks = keeps; }

    /// The device loses its rules; `announced`, or to be found out.
    void lose_all(bool announced) {
        const std::scoped_lock lock(mutex_);
        rules_.clear();
        if (announced) ++resets_;
    }
    [[nodiscard]] std::vector<FlowRule> rules() const {
        const std::scoped_lock lock(mutex_);
        std::vector<FlowRule> all;
        for (const auto& [handle, rule] : rules_) all.push_back(rule);
        std::ranges::sort(all);
        return all;
    }

    /// What the NIC does with a frame: nothing: it drops it; else its mark.
    [[nodiscard]] std::optional<FlowMark> judge(const Bytes& frame) const {
        const OuterSeen outer = read_outer(frame);
        const std::scoped_lock lock(mutex_);
        bool drops = false;
        for (const auto& [handle, rule] : rules_) {
            if (outer.remote != rule.local || outer.udp_port != rule.udp_port || outer.vlan.value_or(0) != rule.vlan)
                continue;
            if (rule.kind == FlowRule::Kind::unknown_vni) drops = true;
            if (rule.kind == FlowRule::Kind::tunnel && outer.source == rule.remote && outer.vni == rule.vni)
                return rule.mark;
        }
        return drops ? std::nullopt : std::optional(kNoMark);
    }

    std::uint16_t queue_count = 1;
    std::vector<FlowShape> accepted{{Fate::inner_rss, true},  {Fate::inner_rss, false}, {Fate::outer_rss, true},
                                    {Fate::outer_rss, false}, {Fate::queue, true},      {Fate::queue, false},
                                    {Fate::drop, true},       {Fate::drop, false}};
    std::size_t capacity = SIZE_MAX;
    std::atomic<std::chrono::microseconds> latency{std::chrono::microseconds(0)};
    std::atomic<unsigned> refuse{0}, no_space{0}, keep{0};  ///< how often it does so, from now on
    std::atomic<bool> is_stubborn{false};                   ///< does not flush either
    std::atomic<bool> marks{false};
    std::atomic<unsigned> creations{0}, destructions{0};

  private:
    static bool take(std::atomic<unsigned>& left) {
        if (left == 0) return false;
        --left;
        return true;
    }

    mutable std::mutex mutex_;
    std::map<Handle, FlowRule> rules_;
    Handle last_ = 0;
    std::atomic<std::uint32_t> resets_{0};
};

}  // namespace bulkhead::test
