// SPDX-License-Identifier: Apache-2.0
// Names, functions, and which of them the audit log hears of.
#include "control/config/object_reader.h"
#include "control/methods/context.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

// Bytes of an object's name, or of a refusal: nobody may push others' lines out of the log with a few of his own.
constexpr std::size_t kLongestAudited = 256;

struct Row {
    std::string_view method;
    Answer (*handler)(MethodContext&, const rpc::Call&);
    bool is_change;
};

constexpr Row kRows[] = {
    {"config.apply", config_apply, true},
    {"config.confirm", config_confirm, true},
    {"config.get", config_get, false},
    {"connection.flush", connection_flush, true},
    {"connection.list", connection_list, false},
    {"drop.list", drop_list, false},
    {"fdb.add", fdb_add, true},
    {"fdb.flush", fdb_flush, true},
    {"fdb.list", fdb_list, false},
    {"fdb.remove", fdb_remove, true},
    {"group.add", group_add, true},
    {"group.get", group_get, false},
    {"group.list", group_list, false},
    {"group.remove", group_remove, true},
    {"group.set", group_set, true},
    {"mirror.add", mirror_add, true},
    {"mirror.get", mirror_get, false},
    {"mirror.list", mirror_list, false},
    {"mirror.remove", mirror_remove, true},
    {"mirror.set", mirror_set, true},
    {"offload.get", offload_get, false},
    {"offload.list", offload_list, false},
    {"offload.probe", offload_probe, false},
    {"packet.explain", packet_explain, false},
    {"policy.add", policy_add, true},
    {"policy.explain", policy_explain, false},
    {"policy.get", policy_get, false},
    {"policy.list", policy_list, false},
    {"policy.remove", policy_remove, true},
    {"policy.set", policy_set, true},
    {"port.add", port_add, true},
    {"port.get", port_get, false},
    {"port.list", port_list, false},
    {"port.remove", port_remove, true},
    {"port.set", port_set, true},
    {"port.move", port_move, true},
    {"segment.add", segment_add, true},
    {"segment.get", segment_get, false},
    {"segment.list", segment_list, false},
    {"segment.remove", segment_remove, true},
    {"segment.set", segment_set, true},
    {"segment.verify", segment_verify, false},
    {"stats.get", stats_get, false},
    {"system.get", system_get, false},
    {"system.shutdown", system_shutdown, true},
    {"tunnel.add", tunnel_add, true},
    {"tunnel.get", tunnel_get, false},
    {"tunnel.list", tunnel_list, false},
    {"tunnel.remove", tunnel_remove, true},
    {"tunnel.set", tunnel_set, true},
    {"underlay.add", underlay_add, true},
    {"underlay.get", underlay_get, false},
    {"underlay.list", underlay_list, false},
    {"underlay.neighbors", underlay_neighbors, false},
    {"underlay.remove", underlay_remove, true},
    {"underlay.set", underlay_set, true},
};

std::string text_of(const json& params, const char* name) {
    auto found = params.find(name);
    return found != params.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "port web-0", "fdb blue/02:00:00:00:00:0a", "group blue/web", "config of cni: add port web-0, remove segment red"
std::string object_of(std::string_view method, const json& params, const Answer& answer) {
    const std::string noun(method.substr(0, method.find('.')));
    if (noun == "fdb") return noun + " " + text_of(params, "segment") + "/" + text_of(params, "mac");
    if (noun == "group" || noun == "policy")
        return noun + " " + text_of(params, "segment") + "/" + text_of(params, "name");
    if (noun == "connection") return params.empty() ? "all connections" : "connections " + config::shown(params);
    if (noun != "config") return noun + " " + text_of(params, "name");
    const std::string owner = text_of(params, "owner");
    const bool changed = answer && answer->contains("changes");
    return noun + (owner.empty() ? "" : " of " + owner) + (changed ? ": " + described(answer->at("changes")) : "");
}

bool is_dry_run(const json& params) {
    auto found = params.find("dry_run");
    return found != params.end() && *found == true;
}

Answer call_and_audit(MethodContext& context, const Row& row, const rpc::Call& call) {
    Answer answer = row.handler(context, call);
    if (row.is_change && context.audit && !is_dry_run(call.params)) {
        context.audit({call, config::shortened(object_of(row.method, call.params, answer), kLongestAudited),
                       context.engine.generation(),
                       answer ? "ok" : config::shortened(answer.error().message, kLongestAudited)});
    }
    return answer;
}

}  // namespace

std::vector<NamedHandler> handlers(MethodContext& context) {
    std::vector<NamedHandler> result;
    for (const Row& row : kRows) {
        result.push_back(
            {row.method, [&context, &row](const rpc::Call& call) { return call_and_audit(context, row, call); }});
    }
    return result;
}

}  // namespace bulkhead::methods
