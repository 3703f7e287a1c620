// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/options.h"

#include <algorithm>
#include <sstream>

#include <boost/program_options.hpp>

#include "pmd/cores.h"

namespace bulkhead::rig {
namespace {

namespace po = boost::program_options;

constexpr double kLongest = 3600;

po::options_description described() {
    po::options_description options("Options");
    auto add = options.add_options();
    add("case", po::value<std::string>()->value_name("NAME"), "what to measure, see below");
    add("program", po::value<std::string>()->value_name("NAME"),
        "floor: the ports alone, frames are only moved; bulkhead: the switch between them");
    add("seconds", po::value<double>()->value_name("S"), "length of the measurement");
    add("warm-up", po::value<double>()->value_name("S")->default_value(Options{}.warm_up),
        "traffic before it, when all MACs are learned");
    add("worker-core", po::value<int>()->value_name("N"), "CPU of the worker");
    add("control-core", po::value<int>()->value_name("N"), "CPU of all else");
    add("help,h", "print this and exit");
    return options;
}

Result<std::uint16_t> core(const po::variables_map& given, const char* option) {
    const auto available = available_cores();
    const int number = given[option].as<int>();
    const auto found = std::ranges::find(available, number);
    if (found == available.end())
        return invalid("", "--" + std::string(option) + " " + std::to_string(number) + ": this process may use CPUs " +
                               format_cores(available));
    return *found;
}

Result<double> length(const po::variables_map& given, const char* option, double least) {
    const double seconds = given[option].as<double>();
    // Not a number is in no range.
    if (!(seconds >= least && seconds <= kLongest)) {
        std::ostringstream message;
        message << "--" << option << " " << seconds << ": use " << least << " to " << kLongest;
        return invalid("", message.str());
    }
    return seconds;
}

Result<Options> read(const po::variables_map& given) {
    Options options;
    for (const char* needed : {"case", "program", "seconds", "worker-core", "control-core"})
        if (!given.contains(needed)) return invalid("", "--" + std::string(needed) + " is missing");
    const auto name = given["case"].as<std::string>(), program = given["program"].as<std::string>();
    options.chosen = find_case(name);
    if (options.chosen == nullptr) {
        std::string message = "--case " + name + ": use";
        for (const Case& known : cases()) message.append(" ").append(known.name);
        return invalid("", message);
    }
    if (program != "floor" && program != "bulkhead")
        return invalid("", "--program " + program + ": use floor or bulkhead");
    options.program = program == "floor" ? Program::floor : Program::bulkhead;
    const auto seconds = length(given, "seconds", 0.1), warm_up = length(given, "warm-up", 0);
    if (!seconds) return failure(seconds.error());
    if (!warm_up) return failure(warm_up.error());
    const auto worker_core = core(given, "worker-core"), control_core = core(given, "control-core");
    if (!worker_core) return failure(worker_core.error());
    if (!control_core) return failure(control_core.error());
    options.seconds = *seconds;
    options.warm_up = *warm_up;
    options.worker_core = *worker_core;
    options.control_core = *control_core;
    if (options.chosen->workers > 1 && options.worker_core == options.control_core)
        return invalid("", "--case " + name + " needs two CPUs: --worker-core and --control-core are the same");
    return options;
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
    po::variables_map given;
    try {
        // Nothing is positional and nothing is guessed: a stray word or half an option is a mistake.
        namespace style = po::command_line_style;
        const auto options = described();
        po::store(po::command_line_parser(argc, argv)
                      .options(options)
                      .positional({})
                      .style(style::default_style & ~style::allow_guessing)
                      .run(),
                  given);
    } catch (const po::error& error) {
        return invalid("", error.what());
    }
    if (given.contains("help")) return Options{.help = true};
    return read(given);
}

std::string usage() {
    std::ostringstream text;
    text << "Usage: rig --case NAME --program floor|bulkhead --seconds S --worker-core N --control-core N\n"
            "Measures the switch between ports in memory, and prints one JSON object.\n\n"
         << described() << "\nCases:\n";
    for (const Case& known : cases())
        text << "  " << known.name << std::string(21 - known.name.size(), ' ') << known.says << '\n';
    return text.str();
}

}  // namespace bulkhead::rig
