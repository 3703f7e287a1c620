// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/options.h"

#include <sstream>

#include <boost/program_options.hpp>

namespace bulkhead::daemon {
namespace {

namespace po = boost::program_options;

po::options_description described() {
    const Options defaults;
    auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    po::options_description options("Options");
    auto add = options.add_options();
    add("config", text("FILE"),
        ("configuration file, default " + defaults.config.string() + " if it is there").c_str());
    add("state-dir", text("DIR")->default_value(defaults.state_dir), "where what was configured at run time is kept");
    add("socket", text("PATH")->default_value(defaults.socket), "control socket");
    add("log-level", text("LEVEL")->default_value(defaults.log_level),
        "trace, debug, info, warning, error or critical");
    add("log-format", text("FORMAT")->default_value("text"), "text or json");
    add("check", "check the configuration file and exit: 0 good, 1 not");
    add("recover", "start from the last good state when the newest is damaged");
    add("replace", "come up beside the bulkheadd that serves the socket, then end it and take its place");
    add("version", "print the version and exit");
    add("help,h", "print this and exit");
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
    options.replace = given.contains("replace");
    options.command.assign(argv, argv + argc);
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
