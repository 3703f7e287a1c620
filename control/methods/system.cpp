// SPDX-License-Identifier: Apache-2.0
// system.get, shutdown
#include <array>
#include <climits>
#include <unistd.h>

#include "control/methods/context.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

json workers_of(const MethodContext& context) {
    const SwitchTarget& target = context.engine.target();
    json workers = json::array();
    for (std::uint16_t worker = 0; worker < target.workers(); ++worker) {
        workers.push_back({{"worker", worker},
                           {"core", worker < context.cores.size() ? json(context.cores[worker]) : json()},
                           {"ports", json::array()}});
    }
    for (const auto& [name, port] : context.engine.configured().ports) {
        for (const QueueAssignment& assignment : target.queue_plan(name)) {
            if (assignment.worker >= workers.size()) continue;
            json& ports = workers[assignment.worker]["ports"];
            if (ports.empty() || ports.back() != name) ports.push_back(name);
        }
    }
    return workers;
}

std::string node_name(const config::Node& node) {
    if (!node.name.empty()) return node.name;
    std::array<char, HOST_NAME_MAX + 1> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

}  // namespace

Answer system_get(MethodContext& context, const rpc::Call& /*call*/) {
    const auto uptime = std::chrono::steady_clock::now() - context.started;
    return json{{"version", BULKHEAD_VERSION},
                {"dpdk", context.dpdk_version},
                {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
                {"node", node_name(context.node)},
                {"generation", context.engine.generation()},
                {"pid", ::getpid()},
                {"memory", context.memory ? context.memory() : json::object()},
                {"workers", workers_of(context)},
                {"macs", context.engine.target().mac_count()}};
}

Answer system_shutdown(MethodContext& context, const rpc::Call& call) {
    const bool hands_over = call.params.value("hand_over", false);
    if (context.shut_down) context.shut_down(hands_over ? std::optional(call.caller.pid) : std::nullopt);
    return json::object();
}

}  // namespace bulkhead::methods
