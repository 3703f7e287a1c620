// SPDX-License-Identifier: Apache-2.0
// The guest of the comparisons: virtio-user ports that send and receive as cheaply as can be, on one core. It stands
// for two virtual machines at once, for there is one core only for both.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "perf/guest/latency.h"
#include "perf/guest/options.h"
#include "perf/guest/station.h"
#include "perf/guest/throughput.h"

namespace bulkhead::guest {
namespace {

/// Returns when the switch has come to every port: virtio-user waits for its first client.
void start_eal(const Options& options) {
    // A guest's memory is shared with the switch: one memfd a page size, or there are more regions than the protocol
    // can name.
    std::vector<std::string> words{"guest",
                                   "--no-pci",
                                   "--in-memory",
                                   "--single-file-segments",
                                   "--no-telemetry",
                                   "--log-level=5",
                                   "--lcores=0@" + std::to_string(options.core),
                                   "--file-prefix=" + options.name,
                                   "-m",
                                   std::to_string(options.memory_mib)};
    for (std::size_t at = 0; at < options.ports.size(); ++at) {
        words.push_back("--vdev=net_virtio_user" + std::to_string(at) + ",path=" + options.ports[at] +
                        ",server=1,queues=1,packed_vq=0,queue_size=" + std::to_string(options.ring));
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
        throw std::runtime_error(std::string("no EAL: ") + rte_strerror(rte_errno));
    }
    if (rte_eth_dev_count_avail() != options.ports.size()) throw std::runtime_error("not every port is there");
}

std::vector<Station> stations(const Options& options) {
    std::vector<Station> made;
    for (std::uint16_t port = 0; port < options.ports.size(); ++port) {
        made.emplace_back(port,
                          Station::Settings{.number = static_cast<std::uint16_t>(options.first_station + port),
                                            .partner = static_cast<std::uint16_t>(options.first_station + (port ^ 1)),
                                            .frame_bytes = options.frame_bytes,
                                            .ring = options.ring});
    }
    return made;
}

void run(const Options& options) {
    start_eal(options);
    auto all = stations(options);
    if (options.mode == Options::Mode::latency) {
        run_latency(all[0], all[1], options);
    } else {
        run_throughput(all, options);
    }
}

}  // namespace
}  // namespace bulkhead::guest

int main(int argc, char** argv) {
    namespace guest = bulkhead::guest;
    try {
        const auto options = guest::parse_options(argc, argv);
        if (options.help) {
            std::printf("%s", guest::usage().c_str());
        } else {
            guest::run(options);
        }
    } catch (const std::invalid_argument& wrong) {
        std::fprintf(stderr, "guest: %s\n", wrong.what());
        return 2;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "guest: %s\n", failure.what());
        return 1;
    }
    return 0;
}
