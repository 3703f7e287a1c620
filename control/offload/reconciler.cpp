// SPDX-License-Identifier: Apache-2.0
#include "control/offload/reconciler.h"

#include <algorithm>
#include <utility>

namespace bulkhead {
namespace {

using Kind = FlowRule::Kind;
using Fate = FlowShape::Fate;

constexpr std::size_t kAtOnce = 256;  ///< rules put in, or taken out, before anything else has its turn
constexpr int kProbePauses = 30;      ///< of `retry`, until a device that could do nothing is asked again

/// From what is best for us to what is better than nothing.
std::vector<FlowShape> steering_shapes(std::uint16_t queues) {
    std::vector<Fate> fates{Fate::inner_rss, Fate::outer_rss, Fate::queue};
    if (queues == 1) fates = {Fate::queue, Fate::outer_rss};
    std::vector<FlowShape> shapes;
    for (const Fate fate : fates)
        for (const bool counts : {true, false}) shapes.push_back({fate, counts});
    return shapes;
}

std::vector<FlowShape> dropping_shapes() {
    return {{Fate::drop, true}, {Fate::drop, false}};
}

}  // namespace

Reconciler::Reconciler(Patience patience) : patience_(patience), thread_([this] { run(); }) {}

Reconciler::~Reconciler() {
    {
        const Lock lock(mutex_);
        stop_ = true;
    }
    work_.notify_all();
    thread_.join();
}

template <typename Call>
auto Reconciler::ask(Lock& lock, Device& state, Call call) {
    ++asked_;
    state.is_busy = true;
    lock.unlock();
    auto answer = call();
    lock.lock();
    state.is_busy = false;
    return answer;
}

bool Reconciler::may_drop(const Device& state) {
    if (state.is_suspect) return false;
    return std::ranges::all_of(state.wanted, [&](const FlowRule& rule) {
        if (rule.kind != Kind::tunnel) return true;
        const auto entry = state.entries.find(rule);
        return entry != state.entries.end() && entry->second.handle != 0;
    });
}

/// What drops must not hide a VNI that is to be received, so it goes before that comes.
bool Reconciler::contradicts(const FlowRule& rule, const std::set<FlowRule>& next, const Device& state) {
    if (rule.kind != Kind::unknown_vni) return false;  // a mark is checked by who reads it
    if (!next.contains(rule)) return true;
    return std::ranges::any_of(next, [&](const FlowRule& other) {
        if (other.kind != Kind::tunnel) return false;
        const auto entry = state.entries.find(other);
        return entry == state.entries.end() || entry->second.handle == 0;
    });
}

Result<> Reconciler::before_publish(const Snapshot& next) {
    const OffloadPlan plan = plan_offload(next);
    static const std::set<FlowRule> kNothing;
    Lock lock(mutex_);
    const auto next_of = [&](FlowDevice* device) -> const std::set<FlowRule>& {
        const auto rules = plan.find(device);
        return rules == plan.end() ? kNothing : rules->second;
    };
    for (auto& [device, state] : devices_) {
        const std::set<FlowRule>& rules = next_of(device);
        state.is_leaving = !plan.contains(device);
        std::erase_if(state.wanted,
                      [&](const FlowRule& rule) { return !rules.contains(rule) || contradicts(rule, rules, state); });
    }
    work_.notify_all();
    const FlowDevice* stubborn = nullptr;
    const auto is_clear = [&] {
        stubborn = nullptr;
        for (const auto& [device, state] : devices_) {
            const std::set<FlowRule>& rules = next_of(device);
            const bool holds = std::ranges::any_of(state.entries, [&](const auto& entry) {
                return entry.second.handle != 0 && (state.is_leaving || contradicts(entry.first, rules, state));
            });
            if (holds || state.puts_drop) stubborn = device;
        }
        return stubborn == nullptr;
    };
    is_awaited_ = true;
    const bool is_done = done_.wait_for(lock, patience_.withdrawal, is_clear);
    is_awaited_ = false;
    if (is_done) return {};
    // Of a device that is closed no rule is left. Of one that goes on, what would be dropped must not be promised.
    const auto& state = devices_.at(const_cast<FlowDevice*>(stubborn));
    const bool drops = state.puts_drop || std::ranges::any_of(state.entries, [](const auto& entry) {
                           return entry.second.handle != 0 && entry.first.kind == Kind::unknown_vni;
                       });
    tell({.kind = OffloadEvent::Kind::withdrawal_failed, .port = stubborn->port(), .count = 1});
    if (!drops) return {};
    return failure({.code = ErrorCode::device_failed,
                    .message = "the device of port \"" + stubborn->port() +
                               "\" does not give up a flow rule that would drop what the change lets in",
                    .retryable = true});
}

void Reconciler::after_publish(const Snapshot& now) {
    OffloadPlan plan = plan_offload(now);
    Lock lock(mutex_);
    for (auto device = devices_.begin(); device != devices_.end();) {
        if (plan.contains(device->first)) {
            ++device;
            continue;
        }
        done_.wait(lock, [&] { return !device->second.is_busy; });
        device->first->keep_marks(false);
        device = devices_.erase(device);
    }
    for (auto& [device, rules] : plan) {
        const auto [known, is_new] = devices_.try_emplace(device);
        Device& state = known->second;
        if (is_new) {
            device->keep_marks(true);
            state.resets = device->resets();
        }
        state.is_leaving = false;
        state.wanted = std::move(rules);
    }
    work_.notify_all();
}

void Reconciler::run() {
    Lock lock(mutex_);
    FlowDevice* last = nullptr;
    while (!stop_) {
        // By turns, so that a slow device does not keep the others waiting for more than one step.
        bool has_worked = false;
        const std::uint64_t asked = asked_;
        auto next = devices_.upper_bound(last);
        for (std::size_t looked_at = 0; looked_at < devices_.size() && !has_worked; ++looked_at) {
            if (next == devices_.end()) next = devices_.begin();
            last = next->first;
            has_worked = step(lock, *next->first, next->second);
            if (!has_worked) ++next;
        }
        done_.notify_all();
        // The lock is open while a device is asked; if none was, others have their turn now.
        if ((!has_worked || asked == asked_) && !stop_) work_.wait_for(lock, patience_.retry / 10);
    }
}

bool Reconciler::step(Lock& lock, FlowDevice& device, Device& state) {
    if (forget_lost(lock, device, state)) return true;
    if (withdraw(lock, device, state)) return true;
    if (state.is_leaving) return false;
    const bool is_hopeless = !state.ladder.empty() && !state.steering;
    if (is_hopeless && Clock::now() >= state.next_probe) state.ladder.clear();
    if (state.ladder.empty() && !state.wanted.empty()) {
        find_shapes(lock, device, state);
        return true;
    }
    return install(lock, device, state) || look_at_all(lock, device, state);
}

bool Reconciler::forget_lost(Lock& lock, FlowDevice& device, Device& state) {
    const std::uint32_t resets = device.resets();
    if (resets == state.resets) return false;
    state.resets = resets;
    const auto lost = std::ranges::count_if(state.entries, [](const auto& entry) { return entry.second.handle != 0; });
    state.entries.clear();
    // What was put in between the reset and now is nobody's.
    (void)ask(lock, state, [&] { return device.flush(); });
    state.entries.clear();
    tell({.kind = OffloadEvent::Kind::lost,
          .port = device.port(),
          .words = "the device was reset",
          .count = static_cast<std::uint32_t>(lost)});
    return true;
}

bool Reconciler::withdraw(Lock& lock, FlowDevice& device, Device& state) {
    const auto now = Clock::now();
    const bool may_stay = may_drop(state);
    const auto goes = [&](const auto& entry) {
        return !state.wanted.contains(entry.first) || (entry.first.kind == Kind::unknown_vni && !may_stay);
    };
    std::erase_if(state.entries, [&](const auto& entry) { return entry.second.handle == 0 && goes(entry); });
    std::vector<std::pair<FlowRule, FlowDevice::Handle>> going;
    for (const auto& entry : state.entries)
        if (entry.second.handle != 0 && goes(entry) && entry.second.next_try <= now)
            going.emplace_back(entry.first, entry.second.handle);
    if (going.empty()) return false;
    // Somebody waits for those that drop.
    std::ranges::stable_partition(going, [](const auto& one) { return one.first.kind == Kind::unknown_vni; });
    const bool all_go = state.is_leaving || (state.is_stuck && going.front().first.kind == Kind::unknown_vni);
    if (all_go && ask(lock, state, [&] { return device.flush(); })) {
        state.entries.clear();
        state.is_stuck = false;
        return true;
    }
    if (going.size() > kAtOnce) going.resize(kAtOnce);
    for (const auto& [rule, handle] : going) {
        if (stop_) break;
        destroy(lock, device, state, rule, handle);
        if (state.is_stuck || is_awaited_) break;
    }
    for (auto& [rule, entry] : state.entries)
        if (entry.handle == 0) entry.next_try = {};  // there is room now
    return true;
}

void Reconciler::destroy(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule,
                         FlowDevice::Handle handle) {
    const auto destroyed = ask(lock, state, [&] { return device.destroy(handle); });
    if (destroyed || destroyed.error().is_gone) {
        state.entries.erase(rule);
        state.is_suspect |= !destroyed;
        return;
    }
    Entry& entry = state.entries[rule];
    entry.refusal = destroyed.error().words;
    entry.next_try = Clock::now() + patience_.retry / 20;
    state.is_stuck |= rule.kind == Kind::unknown_vni;
}

/// What was said last: tries are made again.
void Reconciler::note_rung(Device& state, OffloadRung rung) {
    const auto known = std::ranges::find(state.ladder, rung.shape, &OffloadRung::shape);
    if (known == state.ladder.end())
        state.ladder.push_back(std::move(rung));
    else
        *known = std::move(rung);
}

std::optional<FlowShape> Reconciler::climb(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule,
                                           const std::vector<FlowShape>& shapes) {
    for (const FlowShape& shape : shapes) {
        const auto tried = ask(lock, state, [&]() -> FlowAnswer<> {
            if (auto valid = device.validate(rule, shape); !valid) return valid;
            const auto made = device.create(rule, shape);
            if (!made) return std::unexpected(made.error());
            auto gone = device.destroy(*made);
            if (!gone) (void)device.flush();  // no other rule of ours is there yet
            return gone;
        });
        note_rung(state, {shape, tried.has_value(), tried ? std::string() : tried.error().words});
        if (tried) return shape;
    }
    return std::nullopt;
}

void Reconciler::find_shapes(Lock& lock, FlowDevice& device, Device& state) {
    const auto sample = std::ranges::find(state.wanted, Kind::tunnel, &FlowRule::kind);
    if (sample == state.wanted.end()) return;
    const FlowRule rule = *sample;
    state.next_probe = Clock::now() + kProbePauses * patience_.retry;
    state.steering = climb(lock, device, state, rule, steering_shapes(device.queues()));
    tell({.kind = OffloadEvent::Kind::probed,
          .port = device.port(),
          .words = state.steering ? std::string() : state.ladder.back().words});
}

bool Reconciler::install(Lock& lock, FlowDevice& device, Device& state) {
    if (!state.steering) return false;
    const auto now = Clock::now();
    const auto is_due = [&](const FlowRule& rule) {
        const auto entry = state.entries.find(rule);
        return entry == state.entries.end() || (entry->second.handle == 0 && entry->second.next_try <= now);
    };
    std::vector<FlowRule> missing;
    for (const FlowRule& rule : state.wanted)
        if (rule.kind == Kind::tunnel && is_due(rule) && missing.size() < kAtOnce) missing.push_back(rule);
    if (missing.empty() && may_drop(state)) {
        const auto drop = std::ranges::find_if(
            state.wanted, [&](const FlowRule& rule) { return rule.kind == Kind::unknown_vni && is_due(rule); });
        if (drop == state.wanted.end()) return false;
        install_drop(lock, device, state, FlowRule(*drop));
        return true;
    }
    for (const FlowRule& rule : missing) {
        if (stop_ || is_awaited_ || state.is_leaving) break;
        if (!state.wanted.contains(rule)) continue;
        const auto made = ask(lock, state, [&] { return device.create(rule, *state.steering); });
        Entry& entry = state.entries[rule];
        if (made) {
            entry = Entry{.handle = *made};
            tell({.kind = OffloadEvent::Kind::installed, .port = device.port(), .count = 1});
            continue;
        }
        if (entry.refusal != made.error().words)
            tell({.kind = OffloadEvent::Kind::refused, .port = device.port(), .words = made.error().words, .count = 1});
        entry.refusal = made.error().words;
        entry.next_try = Clock::now() + patience_.retry;
        if (!made.error().is_full) continue;
        // One try a time tells whether there is room.
        for (const FlowRule& other : state.wanted)
            if (other.kind == Kind::tunnel) state.entries.try_emplace(other, entry);
        for (auto& [other, each] : state.entries)
            if (each.handle == 0) each.next_try = entry.next_try;
        break;
    }
    return !missing.empty();
}

/// Only right after a look that found all others there; its shape is found out by doing it, now that it may be done.
void Reconciler::install_drop(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule) {
    if (!look(lock, device, state) || !may_drop(state) || !state.wanted.contains(rule) ||
        device.resets() != state.resets)
        return;
    const std::vector<FlowShape> shapes = state.dropping ? std::vector<FlowShape>{*state.dropping} : dropping_shapes();
    for (const FlowShape& shape : shapes) {
        state.puts_drop = true;
        const auto made = ask(lock, state, [&] { return device.create(rule, shape); });
        state.puts_drop = false;
        note_rung(state, {shape, made.has_value(), made ? std::string() : made.error().words});
        Entry& entry = state.entries[rule];
        if (made) {
            entry = Entry{.handle = *made};
            state.dropping = shape;
            tell({.kind = OffloadEvent::Kind::installed, .port = device.port(), .count = 1});
            return;
        }
        if (entry.refusal != made.error().words)
            tell({.kind = OffloadEvent::Kind::refused, .port = device.port(), .words = made.error().words, .count = 1});
        entry.refusal = made.error().words;
        entry.next_try = Clock::now() + patience_.retry;
    }
}

bool Reconciler::look_at_all(Lock& lock, FlowDevice& device, Device& state) {
    if (Clock::now() < state.next_look && !state.is_suspect) return false;
    (void)look(lock, device, state);
    state.next_look = Clock::now() + patience_.retry;
    return true;
}

/// Counts hits, and sees whether the rules are still there. False: not of all.
bool Reconciler::look(Lock& lock, FlowDevice& device, Device& state) {
    std::vector<std::pair<FlowRule, FlowDevice::Handle>> counted;
    for (const auto& [rule, entry] : state.entries) {
        const auto& shape = rule.kind == Kind::unknown_vni ? state.dropping : state.steering;
        if (entry.handle != 0 && shape && shape->counts) counted.emplace_back(rule, entry.handle);
    }
    std::uint32_t lost = 0;
    bool is_whole = true;
    for (const auto& [rule, handle] : counted) {
        if (stop_ || is_awaited_ || state.is_leaving) {
            is_whole = false;
            break;
        }
        const auto hits = ask(lock, state, [&] { return device.hits(handle); });
        const auto entry = state.entries.find(rule);
        if (entry == state.entries.end() || entry->second.handle != handle) continue;
        if (hits) {
            entry->second.hits = *hits;
        } else if (hits.error().is_gone) {
            // So that the device's own list and ours agree on it.
            (void)ask(lock, state, [&] { return device.destroy(handle); });
            state.entries.erase(rule);
            ++lost;
        }
    }
    if (is_whole) state.is_suspect = lost > 0;
    if (lost > 0)
        tell({.kind = OffloadEvent::Kind::lost, .port = device.port(), .words = "found missing", .count = lost});
    return is_whole;
}

void Reconciler::tell(OffloadEvent event) {
    constexpr std::size_t kMostEvents = 1000;
    if (!events_.empty()) {
        OffloadEvent& last = events_.back();
        if (last.kind == event.kind && last.port == event.port && last.words == event.words) {
            last.count += event.count;
            return;
        }
    }
    if (events_.size() < kMostEvents) events_.push_back(std::move(event));
}

std::vector<OffloadEvent> Reconciler::take_events() {
    const Lock lock(mutex_);
    return std::exchange(events_, {});
}

OffloadReport Reconciler::report_on(const FlowDevice& device, const Device& state) {
    OffloadReport report{.port = device.port(),
                         .driver = device.driver(),
                         .ladder = state.ladder,
                         .steering = state.steering,
                         .dropping = state.dropping,
                         .rules = {},
                         .resets = state.resets};
    using State = OffloadedRule::State;
    for (const auto& [rule, entry] : state.entries) {
        const auto& shape = rule.kind == Kind::unknown_vni ? state.dropping : state.steering;
        OffloadedRule row{.rule = rule, .state = State::installed, .reason = entry.refusal, .hits = {}};
        if (entry.handle == 0) row.state = State::refused;
        if (!state.wanted.contains(rule)) row.state = State::leaving;
        if (entry.handle != 0 && shape && shape->counts) row.hits = entry.hits;
        report.rules.push_back(std::move(row));
    }
    for (const FlowRule& rule : state.wanted) {
        if (state.entries.contains(rule)) continue;
        OffloadedRule row{.rule = rule, .state = State::waiting, .reason = {}, .hits = {}};
        if (!state.ladder.empty() && !state.steering) {
            row.state = State::refused;
            row.reason = state.ladder.back().words;
        }
        report.rules.push_back(std::move(row));
    }
    std::ranges::sort(report.rules, {}, &OffloadedRule::rule);
    return report;
}

std::vector<OffloadReport> Reconciler::reports() {
    const Lock lock(mutex_);
    std::vector<OffloadReport> all;
    for (const auto& [device, state] : devices_) all.push_back(report_on(*device, state));
    std::ranges::sort(all, {}, &OffloadReport::port);
    return all;
}

std::optional<OffloadReport> Reconciler::report(const std::string& port) {
    const Lock lock(mutex_);
    for (const auto& [device, state] : devices_)
        if (device->port() == port) return report_on(*device, state);
    return std::nullopt;
}

std::optional<OffloadReport> Reconciler::probe(const std::string& port) {
    Lock lock(mutex_);
    const auto found = std::ranges::find_if(devices_, [&](const auto& entry) { return entry.first->port() == port; });
    if (found == devices_.end()) return std::nullopt;
    Device& state = found->second;
    // Without its rules for a moment: the thread takes them out, finds out, and puts them in again.
    const std::set<FlowRule> wanted = std::exchange(state.wanted, {});
    const auto is_empty = [&] {
        return !state.is_busy &&
               std::ranges::none_of(state.entries, [](const auto& entry) { return entry.second.handle != 0; });
    };
    work_.notify_all();
    if (done_.wait_for(lock, patience_.withdrawal, is_empty)) {
        state.entries.clear();
        state.ladder.clear();
        state.steering = state.dropping = std::nullopt;
    }
    state.wanted = wanted;
    work_.notify_all();
    (void)done_.wait_for(lock, patience_.probe, [&] { return !state.ladder.empty() || state.wanted.empty(); });
    return report_on(*found->first, state);
}

bool Reconciler::settle(std::chrono::milliseconds longest) {
    Lock lock(mutex_);
    work_.notify_all();
    return done_.wait_for(lock, longest, [&] {
        return std::ranges::all_of(devices_, [&](const auto& entry) {
            const Device& state = entry.second;
            const bool has_refused_all = !state.ladder.empty() && !state.steering;
            const bool all_known =
                has_refused_all || std::ranges::all_of(state.wanted, [&](const FlowRule& rule) {
                    return state.entries.contains(rule) || (rule.kind == Kind::unknown_vni && !may_drop(state));
                });
            return !state.is_busy && all_known && std::ranges::all_of(state.entries, [&](const auto& each) {
                return state.wanted.contains(each.first);
            });
        });
    });
}

}  // namespace bulkhead
