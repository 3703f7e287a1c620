// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/options.h"

#include <sstream>

#include <boost/program_options.hpp>

namespace bulkhead::daemon {
namespace {

namespace po = boost::program_options;

po::options_description described() {
    const Options defaults;
    po::options_description options("Options");
    options.add_options()                                                                                      //
        ("config", po::value<std::string>()->value_name("FILE"),                                               //
         ("configuration file, default " + defaults.config.string() + " if it is there").c_str())              //
        ("state-dir", po::value<std::string>()->value_name("DIR")->default_value(defaults.state_dir),          //
         "where what was configured at run time is kept")                                                      //
        ("socket", po::value<std::string>()->value_name("PATH")->default_value(defaults.socket),               //
         "control socket")                                                                                     //
        ("log-level", po::value<std::string>()->value_name("LEVEL")->default_value(defaults.log_level),        //
         "trace, debug, info, warning, error or critical")                                                     //
        ("log-format", po::value<std::string>()->value_name("FORMAT")->default_value("text"), "text or json")  //
        ("check", "check the configuration file and exit: 0 good, 1 not")                                      //
        ("recover", "start from the last good state when the newest is damaged")                               //
        ("version", "print the version and exit")                                                              //
        ("help,h", "print this and exit");
    return options;
}

bool is_level(const std::string& level) {
    for (const char* known : {"trace", "debug", "info", "warning", "error", "critical"}) {
        if (level == known) return true;
    }
    return false;
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
    po::variables_map given;
    try {
        // Nothing is positional: a stray word is a mistake, not a file.
        po::store(po::command_line_parser(argc, argv).options(described()).positional({}).run(), given);
    } catch (const po::error& error) {
        return invalid("", error.what());
    }
    Options options;
    if (given.contains("config")) {
        options.config = given["config"].as<std::string>();
        options.config_is_named = true;
    }
    options.state_dir = given["state-dir"].as<std::string>();
    options.socket = given["socket"].as<std::string>();
    options.log_level = given["log-level"].as<std::string>();
    const auto format = given["log-format"].as<std::string>();
    options.log_json = format == "json";
    options.check = given.contains("check");
    options.recover = given.contains("recover");
    options.version = given.contains("version");
    options.help = given.contains("help");
    if (!is_level(options.log_level)) {
        return invalid("", "--log-level " + options.log_level + ": use trace, debug, info, warning, error or critical");
    }
    if (format != "text" && format != "json") return invalid("", "--log-format " + format + ": use text or json");
    return options;
}

std::string usage() {
    std::ostringstream text;
    text << "Usage: bulkheadd [OPTIONS]\nThe Bulkhead virtual switch. Stays in the foreground.\n\n" << described();
    return text.str();
}

}  // namespace bulkhead::daemon
