// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/options.h"

#include <bit>
#include <sstream>
#include <stdexcept>

#include <boost/program_options.hpp>

namespace bulkhead::guest {
namespace {

namespace po = boost::program_options;

po::options_description described(Options& options, std::string& mode) {
    po::options_description all("guest MODE --port PATH --port PATH …");
    auto add = all.add_options();
    add("mode", po::value(&mode), "throughput: every port sends as fast as its ring takes it; latency: at --rate");
    add("port", po::value(&options.ports), "socket of a vhost-user port, an even number of them");
    add("name", po::value(&options.name), "EAL's file prefix");
    add("core", po::value(&options.core), "CPU core, default 0");
    add("memory", po::value(&options.memory_mib), "hugepages in MiB, default 128");
    add("frame-bytes", po::value(&options.frame_bytes), "60 (the default) to 1514");
    add("ring", po::value(&options.ring), "descriptors of a queue, 64-1024, a power of two, default 1024");
    add("burst", po::value(&options.burst), "frames offered to a port at a time, 1-64, default 64");
    add("first-station", po::value(&options.first_station), "number of the first port's station, default 0");
    add("one-way", po::bool_switch(&options.one_way), "throughput: only the first port of a pair sends");
    add("rate", po::value(&options.rate), "latency: frames a second, default 100000");
    add("help,h", po::bool_switch(&options.help), "print this and exit");
    return all;
}

void require(bool good, const char* what) {
    if (!good) throw std::invalid_argument(what);
}

void check(const Options& options) {
    require(!options.ports.empty() && options.ports.size() % 2 == 0, "ports come in pairs: give --port twice");
    require(options.frame_bytes >= 60 && options.frame_bytes <= 1514, "--frame-bytes is 60 to 1514");
    require(options.burst >= 1 && options.burst <= 64, "--burst is 1 to 64");
    require(std::has_single_bit(options.ring) && options.ring >= 64 && options.ring <= 1024,
            "--ring is a power of two, 64 to 1024");
    require(options.rate >= 1 && options.rate <= 100'000'000, "--rate is 1 to 100000000");
    require(options.mode == Options::Mode::throughput || options.ports.size() == 2, "latency has two ports");
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
    Options options;
    std::string mode;
    po::variables_map given;
    try {
        const auto all = described(options, mode);
        po::store(po::command_line_parser(argc, argv)
                      .options(all)
                      .positional(po::positional_options_description().add("mode", 1))
                      .run(),
                  given);
        po::notify(given);
    } catch (const po::error& error) {
        throw std::invalid_argument(error.what());
    }
    if (options.help) return options;
    require(mode == "throughput" || mode == "latency", "MODE is throughput or latency");
    options.mode = mode == "latency" ? Options::Mode::latency : Options::Mode::throughput;
    check(options);
    return options;
}

std::string usage() {
    Options options;
    std::string mode;
    std::ostringstream out;
    out << described(options, mode);
    return out.str();
}

}  // namespace bulkhead::guest
