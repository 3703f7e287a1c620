// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/rig.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "perf/rig/source.h"

namespace bulkhead::rig {
namespace {

constexpr std::chrono::milliseconds kEvents{100};
constexpr std::chrono::seconds kHousekeeping{1};
constexpr std::chrono::seconds kLongest{30};

}  // namespace

std::unexpected<Error> stuck(const std::string& what) {
    return failure({.message = what + " took more than " + std::to_string(kLongest.count()) + " s"});
}

Result<> Rig::introduce_once() {
    for (Source* source : scene_.sources) source->introduce();
    for (Source* source : scene_.sources)
        if (!source->wait_until_introduced(kLongest)) return stuck("the introduction of the stations");
    return {};
}

Result<> Rig::introduce() {
    // Again for those that found the table's lock taken too long; each round, nearly all of them are learned.
    // Connections are opened by what goes to stations that are known already.
    constexpr int kRounds = 10;
    for (int round = 0; round < kRounds; ++round) {
        if (auto ok = introduce_once(); !ok) return ok;
        forwarder_.take_events();
        const std::size_t before = std::exchange(known_, forwarder_.macs_held().value_or(scene_.macs));
        const bool are_open = forwarder_.connections_held().value_or(scene_.connections) >= scene_.connections;
        if (are_open && (known_ == scene_.macs || known_ == before)) break;
    }
    if (known_ < scene_.macs)
        return failure({.message = "the MAC table holds " + std::to_string(known_) + " of " +
                                   std::to_string(scene_.macs) + " stations, and learns no more"});
    return {};
}

void Rig::talk() {
    for (Source* source : scene_.sources) source->talk();
}

void Rig::pass(double seconds) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (Clock::now() < end) {
        std::this_thread::sleep_until(std::min({end, next_events_, next_housekeeping_}));
        const auto now = Clock::now();
        if (now >= next_events_) {
            forwarder_.take_events();
            next_events_ = now + kEvents;
        }
        if (now >= next_housekeeping_) {
            forwarder_.housekeep();
            next_housekeeping_ = now + kHousekeeping;
        }
    }
}

Window Rig::watch(double seconds) {
    const Window begin = read();
    pass(seconds);
    return between(begin, read());
}

}  // namespace bulkhead::rig
