// SPDX-License-Identifier: Apache-2.0
// What the handlers work with. Each handler is a function of the context and one call; the daemon binds them by name.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/config/node.h"
#include "control/rpc/dispatcher.h"
#include "control/state/engine.h"
#include "vswitch/base/result.h"

namespace bulkhead {
class Reconciler;
}

namespace bulkhead::methods {

/// A change, or the attempt at one, for the audit log.
struct Audited {
    const rpc::Call& call;
    std::string object;  ///< kind and name; of config.apply the owner
    std::uint64_t generation = 0;
    std::string result;  ///< "ok", or what was refused and why
};

struct MethodContext {
    Engine& engine;
    const config::Node& node;
    std::vector<std::uint16_t> cores;  ///< of the workers, in their order
    std::string dpdk_version;
    Reconciler* offload = nullptr;  ///< null: no NIC is asked for anything
    std::function<nlohmann::json()> memory = {};
    std::function<void(std::optional<pid_t> successor)> shut_down = {};
    std::function<void(const Audited&)> audit = {};
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

using Answer = Result<nlohmann::json>;

Answer segment_add(MethodContext& context, const rpc::Call& call);
Answer segment_set(MethodContext& context, const rpc::Call& call);
Answer segment_remove(MethodContext& context, const rpc::Call& call);
Answer segment_get(MethodContext& context, const rpc::Call& call);
Answer segment_list(MethodContext& context, const rpc::Call& call);
Answer segment_verify(MethodContext& context, const rpc::Call& call);

Answer port_add(MethodContext& context, const rpc::Call& call);
Answer port_set(MethodContext& context, const rpc::Call& call);
Answer port_remove(MethodContext& context, const rpc::Call& call);
Answer port_move(MethodContext& context, const rpc::Call& call);
Answer port_get(MethodContext& context, const rpc::Call& call);
Answer port_list(MethodContext& context, const rpc::Call& call);

Answer underlay_add(MethodContext& context, const rpc::Call& call);
Answer underlay_set(MethodContext& context, const rpc::Call& call);
Answer underlay_remove(MethodContext& context, const rpc::Call& call);
Answer underlay_get(MethodContext& context, const rpc::Call& call);
Answer underlay_list(MethodContext& context, const rpc::Call& call);
Answer underlay_neighbors(MethodContext& context, const rpc::Call& call);

Answer tunnel_add(MethodContext& context, const rpc::Call& call);
Answer tunnel_set(MethodContext& context, const rpc::Call& call);
Answer tunnel_remove(MethodContext& context, const rpc::Call& call);
Answer tunnel_get(MethodContext& context, const rpc::Call& call);
Answer tunnel_list(MethodContext& context, const rpc::Call& call);

Answer fdb_add(MethodContext& context, const rpc::Call& call);
Answer fdb_remove(MethodContext& context, const rpc::Call& call);
Answer fdb_flush(MethodContext& context, const rpc::Call& call);
Answer fdb_list(MethodContext& context, const rpc::Call& call);

Answer group_add(MethodContext& context, const rpc::Call& call);
Answer group_set(MethodContext& context, const rpc::Call& call);
Answer group_remove(MethodContext& context, const rpc::Call& call);
Answer group_get(MethodContext& context, const rpc::Call& call);
Answer group_list(MethodContext& context, const rpc::Call& call);

Answer policy_add(MethodContext& context, const rpc::Call& call);
Answer policy_set(MethodContext& context, const rpc::Call& call);
Answer policy_remove(MethodContext& context, const rpc::Call& call);
Answer policy_get(MethodContext& context, const rpc::Call& call);
Answer policy_list(MethodContext& context, const rpc::Call& call);

Answer mirror_add(MethodContext& context, const rpc::Call& call);
Answer mirror_set(MethodContext& context, const rpc::Call& call);
Answer mirror_remove(MethodContext& context, const rpc::Call& call);
Answer mirror_get(MethodContext& context, const rpc::Call& call);
Answer mirror_list(MethodContext& context, const rpc::Call& call);
Answer connection_list(MethodContext& context, const rpc::Call& call);
Answer connection_flush(MethodContext& context, const rpc::Call& call);

Answer offload_get(MethodContext& context, const rpc::Call& call);
Answer offload_list(MethodContext& context, const rpc::Call& call);
Answer offload_probe(MethodContext& context, const rpc::Call& call);

Answer policy_explain(MethodContext& context, const rpc::Call& call);
Answer packet_explain(MethodContext& context, const rpc::Call& call);

Answer config_get(MethodContext& context, const rpc::Call& call);
Answer config_apply(MethodContext& context, const rpc::Call& call);
Answer config_confirm(MethodContext& context, const rpc::Call& call);

Answer stats_get(MethodContext& context, const rpc::Call& call);
Answer drop_list(MethodContext& context, const rpc::Call& call);

Answer system_get(MethodContext& context, const rpc::Call& call);
Answer system_shutdown(MethodContext& context, const rpc::Call& call);

struct NamedHandler {
    std::string_view method;
    rpc::Handler handler;
};

/// All of the above by name; `context` outlives them. rpc.discover and events.* belong to others.
[[nodiscard]] std::vector<NamedHandler> handlers(MethodContext& context);

}  // namespace bulkhead::methods
