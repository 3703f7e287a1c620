// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include <rte_version.h>
#include <spdlog/spdlog.h>

#include "control/config/config_file.h"
#include "control/daemon/daemon.h"
#include "control/daemon/logging.h"
#include "control/daemon/options.h"
#include "control/daemon/service_manager.h"

namespace {

using namespace bulkhead;

int fail(const Error& error) {
    std::fprintf(stderr, "bulkheadd: %s\n", error.message.c_str());
    return 1;
}

int check(const daemon::Options& options) {
    auto document = config::load_config_file(options.config, config::FileCheck::whole);
    if (!document) {
        Error error = std::move(document.error());
        if (!error.allowed.empty()) error.message += " (allowed: " + error.allowed + ")";
        return fail(error);
    }
    const Model& model = document->model;
    std::printf(
        "%s: %zu segments, %zu ports, %zu underlays, %zu tunnels, %zu static MAC entries, %zu groups, %zu policies, "
        "%zu "
        "mirrors\n",
        options.config.c_str(), model.segments.size(), model.ports.size(), model.underlays.size(), model.tunnels.size(),
        model.static_macs.size(), model.groups.size(), model.policies.size(), model.mirrors.size());
    return 0;
}

int run(const daemon::Options& options) {
    daemon::start_logging(options.log_level, options.log_json);
    daemon::raise_descriptor_limit();
    auto running = daemon::Daemon::create(options);
    if (!running) return fail(running.error());
    (*running)->run();
    running->reset();
    spdlog::info("ended");
    return 0;
}

int start(int argc, char** argv) {
    auto options = daemon::parse_options(argc, argv);
    if (!options) {
        (void)fail(options.error());
        std::fputs("Try: bulkheadd --help\n", stderr);
        return 2;
    }
    if (options->help) return std::fputs(daemon::usage().c_str(), stdout) < 0;
    if (options->version) return std::printf("bulkheadd %s (%s)\n", BULKHEAD_VERSION, rte_version()) < 0;
    if (options->check) return check(*options);
    return run(*options);
}

}  // namespace

int main(int argc, char** argv) {
    // Nothing of ours throws on purpose; what a library throws shall still be a message, not an abort.
    try {
        return start(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bulkheadd: %s\n", error.what());
        return 1;
    }
}
