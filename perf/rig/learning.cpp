// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/learning.h"

#include <algorithm>
#include <cmath>

#include <rte_cycles.h>

#include "perf/rig/cases.h"
#include "perf/rig/measure.h"
#include "perf/rig/newcomers.h"

namespace bulkhead::rig {
namespace {

constexpr int kTurns = 3;
constexpr int kWindowsATurn = 3;
constexpr std::uint32_t kParade = kNewcomers / kTurns;
/// The parade must not end within the window.
constexpr double kLongestWindow = 0.95 * kParade / Newcomers::kPerSecond;
constexpr std::chrono::seconds kLongest{30};

struct Turns {
    Window fresh, off, known;
    std::uint64_t missed = 0;    ///< newcomers not learned from their first frame
    std::uint64_t unplaced = 0;  ///< nor from their second
    std::size_t macs_held = 0;   ///< at the end of the last lap
};

Result<Window> watch_parade(Rig& rig, Parade parade, double seconds) {
    rig.scene().newcomers->start(parade);
    Window window = rig.watch(seconds);
    if (!rig.scene().newcomers->wait_until_over(kLongest)) return stuck("a parade of newcomers");
    return window;
}

Result<> take_turn(Rig& rig, Turns& turns, std::uint32_t first, double seconds) {
    const Forwarder& forwarder = rig.forwarder();
    const std::size_t before = forwarder.macs_held().value_or(0);
    const Parade parade{first, kParade};
    const auto fresh = watch_parade(rig, parade, seconds);
    if (!fresh) return failure(fresh.error());
    turns.fresh += *fresh;
    turns.off += rig.watch(seconds);
    if (const auto held = forwarder.macs_held()) turns.missed += kParade - (*held - before);
    const auto known = watch_parade(rig, parade, seconds);
    if (!known) return failure(known.error());
    turns.known += *known;
    if (const auto held = forwarder.macs_held()) turns.unplaced += kParade - (*held - before);
    return {};
}

double known_packets(const Window& window) {
    return static_cast<double>(window.received - window.newcomers);
}

double cycles_per_known(const Window& window) {
    return static_cast<double>(rte_get_tsc_hz()) * window.core_s() / known_packets(window);
}

double known_mpps(const Window& window) {
    return known_packets(window) / window.core_s() / 1e6;
}

Json describe(const Window& window) {
    return {{"wall_s", window.wall_s},
            {"core_s", window.core_s()},
            {"known_packets", window.received - window.newcomers},
            {"known_mpps", known_mpps(window)},
            {"cycles_per_known_packet", cycles_per_known(window)},
            {"newcomers", window.newcomers},
            {"newcomers_per_s", static_cast<double>(window.newcomers) / window.wall_s}};
}

/// What a newcomer's frame took of the core, if the known ones' cost what they do without newcomers.
double cycles_per_newcomer(const Window& window, const Window& off) {
    const double spent = static_cast<double>(rte_get_tsc_hz()) * window.core_s();
    return (spent - known_packets(window) * cycles_per_known(off)) / static_cast<double>(window.newcomers);
}

Json details(const Rig& rig, const Forwarder& forwarder, const Turns& turns) {
    Json json{{"stations", rig.scene().macs},
              {"offered_newcomers_per_s", Newcomers::kPerSecond},
              {"new", describe(turns.fresh)},
              {"off", describe(turns.off)},
              {"known", describe(turns.known)}};
    json["new"]["cycles_per_newcomer"] = cycles_per_newcomer(turns.fresh, turns.off);
    json["known"]["cycles_per_newcomer"] = cycles_per_newcomer(turns.known, turns.off);
    json["known_mpps_new_to_known"] = known_mpps(turns.fresh) / known_mpps(turns.known);
    json["known_mpps_new_to_off"] = known_mpps(turns.fresh) / known_mpps(turns.off);
    if (!forwarder.macs_held()) return json;
    json["new"]["learned"] = turns.fresh.learned;
    json["new"]["learned_per_s"] = static_cast<double>(turns.fresh.learned) / turns.fresh.wall_s;
    json["known"]["learned"] = turns.known.learned;
    json["macs_held"] = turns.macs_held;
    json["missed"] = turns.missed;
    json["unplaced"] = turns.unplaced;
    json["events_lost"] = forwarder.events_lost();
    json["floods"] = turns.fresh.tally.unknown + turns.off.tally.unknown + turns.known.tally.unknown;
    json["drops"] = turns.fresh.tally.drops + turns.off.tally.drops + turns.known.tally.drops;
    return json;
}

}  // namespace

Result<Json> measure_learning(Rig& rig, double seconds) {
    const int laps = static_cast<int>(std::ceil(seconds / (kTurns * kWindowsATurn * kLongestWindow)));
    const double window_s = seconds / (laps * kTurns * kWindowsATurn);
    const std::string& port = rig.scene().names.back();
    Turns turns;
    for (int lap = 0; lap < laps; ++lap) {
        if (lap > 0) rig.forwarder().forget_macs(port);
        for (std::uint32_t turn = 0; turn < kTurns; ++turn)
            if (auto ok = take_turn(rig, turns, turn * kParade, window_s); !ok) return failure(std::move(ok.error()));
        turns.macs_held = rig.forwarder().macs_held().value_or(0);
    }
    for (const Window* window : {&turns.fresh, &turns.off, &turns.known})
        if (auto ok = check_tally(*window, Metric::packet); !ok) return failure(std::move(ok.error()));
    Json report;
    add_figures(report, turns.fresh);
    report["details"] = details(rig, rig.forwarder(), turns);
    return report;
}

}  // namespace bulkhead::rig
