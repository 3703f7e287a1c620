// SPDX-License-Identifier: Apache-2.0
#include "pmd/eal.h"

#include <algorithm>
#include <filesystem>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <spdlog/spdlog.h>

#include "pmd/cores.h"
#include "pmd/eal_log.h"

namespace bulkhead {
namespace {

// One EAL a process, so what it points to may as well live for ever.
std::vector<std::string> arguments_in_force;
std::function<void(std::uint16_t)> worker_body;

unsigned lcore_of(std::uint16_t worker) {
    return worker + 1U;
}  // lcore 0 is the main thread's

std::uint16_t worker_count() {
    return static_cast<std::uint16_t>(rte_lcore_count() - 1);
}

int run_body(void* worker) {
    worker_body(static_cast<std::uint16_t>(reinterpret_cast<std::uintptr_t>(worker)));
    return 0;
}

bool has(const std::vector<std::string>& arguments, std::initializer_list<const char*> any_of) {
    return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
        return std::any_of(any_of.begin(), any_of.end(), [&](const char* name) { return argument.starts_with(name); });
    });
}

unsigned numa_node(std::uint16_t core) {
    const std::string cpu = "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/node";
    for (unsigned node = 0; node < RTE_MAX_NUMA_NODES; ++node) {
        if (std::filesystem::exists(cpu + std::to_string(node))) return node;
    }
    return 0;
}

std::string lcore_map(const std::vector<std::uint16_t>& cores, const std::vector<std::uint16_t>& all_cores) {
    std::string map = "--lcores=0@(" + format_cores(all_cores) + ")";
    for (std::uint16_t worker = 0; worker < cores.size(); ++worker) {
        map += ',' + std::to_string(lcore_of(worker)) + '@' + std::to_string(cores[worker]);
    }
    return map;
}

Result<> check(const EalSettings& settings) {
    if (settings.cores.empty()) return invalid("/cores", "at least one worker is needed", "none", "1 or more CPUs");
    // EAL prints its help and ends the process.
    if (has(settings.extra_args, {"-h", "--help"})) {
        return invalid("/eal_args", "EAL's help is not an argument for a service", "--help");
    }
    return {};
}

}  // namespace

std::vector<std::string> eal_arguments(const EalSettings& settings, HugepageKind kind,
                                       const std::vector<std::uint16_t>& all_cores) {
    std::vector<std::string> arguments{settings.program, lcore_map(settings.cores, all_cores)};
    // An allow-list of nothing that exists: no NIC is taken at start. Plugging by devargs adds to the list.
    if (!has(settings.extra_args, {"-b", "--block"})) arguments.insert(arguments.end(), {"-a", "0000:00:00.0"});
    if (!has(settings.extra_args, {"--telemetry"})) arguments.emplace_back("--no-telemetry");
    const auto memory = std::to_string(settings.memory_mib);
    if (kind == HugepageKind::none) {
        // --no-huge implies EAL's legacy memory, with which --in-memory does not go; this too keeps it from files.
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m", memory});
    } else {
        std::string each_node;  // "0,0,512": all on the node of the first worker
        for (unsigned node = numa_node(settings.cores.front()); node > 0; --node) each_node += "0,";
        arguments.emplace_back("--in-memory");
        arguments.push_back("--socket-mem=" + each_node + memory);
        arguments.push_back("--socket-limit=" + each_node + memory);
    }
    arguments.insert(arguments.end(), settings.extra_args.begin(), settings.extra_args.end());
    return arguments;
}

Result<> start_eal(const EalSettings& settings) {
    if (auto good = check(settings); !good) return good;
    const auto kind = choose_hugepages(settings.memory_mib, settings.hugepages);
    if (!kind) return failure(kind.error());

    redirect_eal_log();
    forget_eal_errors();
    arguments_in_force = eal_arguments(settings, *kind, available_cores());
    std::vector<char*> argv;
    for (auto& argument : arguments_in_force) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (rte_eal_init(static_cast<int>(argv.size() - 1), argv.data()) < 0) {
        const int error = rte_errno;
        const auto detail = first_eal_error();
        return failure({.code = error == EINVAL ? ErrorCode::invalid_params : ErrorCode::device_failed,
                        .message = "DPDK does not start: " + std::string(rte_strerror(error)) +
                                   (detail.empty() ? "" : " (" + detail + ")"),
                        .field = error == EINVAL ? "/eal_args" : "",
                        .got = {},
                        .allowed = {},
                        .object_kind = {},
                        .object_name = {}});
    }
    return {};
}

void stop_eal() {
    rte_eal_cleanup();
}

Result<> launch_workers(std::function<void(std::uint16_t)> body) {
    for (std::uint16_t worker = 0; worker < worker_count(); ++worker) {
        if (rte_eal_get_lcore_state(lcore_of(worker)) != WAIT) {
            return failure({.code = ErrorCode::not_ready,
                            .message = "worker " + std::to_string(worker) + " is running already",
                            .field = {},
                            .got = {},
                            .allowed = {},
                            .object_kind = {},
                            .object_name = {}});
        }
    }
    worker_body = std::move(body);
    for (std::uint16_t worker = 0; worker < worker_count(); ++worker) {
        rte_eal_remote_launch(run_body, reinterpret_cast<void*>(static_cast<std::uintptr_t>(worker)), lcore_of(worker));
    }
    return {};
}

void join_workers() {
    for (std::uint16_t worker = 0; worker < worker_count(); ++worker) rte_eal_wait_lcore(lcore_of(worker));
}

}  // namespace bulkhead
