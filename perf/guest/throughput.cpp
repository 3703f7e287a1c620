// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/throughput.h"

#include <cstdio>
#include <string>

#include "perf/guest/clock.h"
#include "perf/guest/console.h"

namespace bulkhead::guest {
namespace {

template <typename Count>
std::string list(const std::vector<Station>& stations, Count count) {
    std::string text;
    for (const Station& station : stations) text += (text.empty() ? "[" : ", ") + std::to_string((station.*count)());
    return text + "]";
}

}  // namespace

void run_throughput(std::vector<Station>& stations, const Options& options) {
    Console console;
    std::uint64_t offers = 0, refused = 0;
    // A switch that learns must have heard of the silent ones too.
    if (options.one_way) {
        for (std::size_t at = 1; at < stations.size(); at += 2) stations[at].send(1);
    }
    const std::size_t step = options.one_way ? 2 : 1;
    while (!console.ended()) {
        for (std::size_t at = 0; at < stations.size(); at += step) {
            ++offers;
            if (stations[at].send(options.burst) < options.burst) ++refused;
        }
        for (Station& station : stations) (void)station.receive();
        for (unsigned lines = console.asked(); lines > 0; --lines) {
            std::printf(R"({"sent": %s, "received": %s, "offers": %lu, "refused": %lu, "core_s": %.6f, "wall_s": %.6f})"
                        "\n",
                        list(stations, &Station::sent).c_str(), list(stations, &Station::received).c_str(), offers,
                        refused, core_seconds(), wall_seconds());
            std::fflush(stdout);
        }
    }
}

}  // namespace bulkhead::guest
