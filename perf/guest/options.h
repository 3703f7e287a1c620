// SPDX-License-Identifier: Apache-2.0
// What the guest is told on its command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bulkhead::guest {

struct Options {
    enum class Mode { throughput, latency };

    Mode mode = Mode::throughput;
    std::vector<std::string> ports;  ///< sockets that the guest listens on: the switch is the client
    std::string name = "guest";      ///< EAL's --file-prefix
    unsigned core = 0;
    unsigned memory_mib = 128;
    std::uint16_t frame_bytes = 60;   ///< without the checksum
    std::uint16_t ring = 1024;        ///< descriptors of a queue; no more can be had
    std::uint16_t burst = 64;         ///< frames offered to a port at a time
    std::uint16_t first_station = 0;  ///< number of the first port's station: guests side by side need different ones
    bool one_way = false;             ///< only even ports send
    std::uint64_t rate = 100'000;     ///< latency: frames a second
    bool help = false;
};

/// Throws std::invalid_argument with a line for people.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

[[nodiscard]] std::string usage();

}  // namespace bulkhead::guest
