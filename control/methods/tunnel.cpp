// SPDX-License-Identifier: Apache-2.0
// tunnel.add, set, remove, get, list
#include <algorithm>
#include <numeric>

#include "control/methods/objects.h"
#include "control/methods/page.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

json shown_tunnel(const Engine& engine, const rpc::Caller& caller, const Tunnel& tunnel) {
    const TunnelState path = engine.target().tunnel_state(tunnel.name);
    const TrafficStats traffic = engine.target().tunnel_stats(tunnel.name);
    json object = config::encode(tunnel);
    json& state = object["state"] = waiting_state(engine, caller, key_of(tunnel));
    state["next_hop"] = path.next_hop ? json(path.next_hop->to_string()) : json();
    state["next_hop_mac"] = path.next_hop_mac ? json(path.next_hop_mac->to_string()) : json();
    state["resolved"] = path.resolved;
    state["cut"] = path.cut;
    state["alive"] = path.alive ? json(*path.alive) : json();
    state["rx_packets"] = traffic.rx_packets;
    state["rx_bytes"] = traffic.rx_bytes;
    state["tx_packets"] = traffic.tx_packets;
    state["tx_bytes"] = traffic.tx_bytes;
    state["drops"] = std::reduce(traffic.drops.begin(), traffic.drops.end());
    return object;
}

Result<std::string> known_name(const MethodContext& context, const rpc::Call& call) {
    const auto& name = call.params.at("name").get_ref<const std::string&>();
    if (context.engine.configured().tunnels.contains(name)) return name;
    return failure(no_such("tunnel", name, "/name"));
}

bool carries(const Tunnel& tunnel, const std::string& segment) {
    return std::ranges::find(tunnel.segments, segment) != tunnel.segments.end();
}

Result<> check_filters(const rpc::Call& call, const Model& model) {
    const std::string segment = call.params.value("segment", std::string());
    const std::string underlay = call.params.value("underlay", std::string());
    auto uses = [&](auto&& is_used) {
        return std::ranges::any_of(model.tunnels, [&](const auto& entry) { return is_used(entry.second); });
    };
    // A tunnel may wait for what is not there.
    if (call.params.contains("segment") && !model.segments.contains(segment) &&
        !uses([&](const Tunnel& tunnel) { return carries(tunnel, segment); }))
        return failure(no_such("segment", segment, "/segment"));
    if (call.params.contains("underlay") && !model.underlays.contains(underlay) &&
        !uses([&](const Tunnel& tunnel) { return tunnel.underlay == underlay; }))
        return failure(no_such("underlay", underlay, "/underlay"));
    return {};
}

}  // namespace

Answer tunnel_add(MethodContext& context, const rpc::Call& call) {
    auto tunnel = config::decode_tunnel(call.params, owner_of_new(call.caller));
    if (!tunnel) return failure(std::move(tunnel.error()));
    const std::string name = tunnel->name;
    return add_object(context, call, context.engine.configured(), &Model::tunnels, name, std::move(*tunnel));
}

Answer tunnel_set(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return set_object(context, call, &Model::tunnels, *name,
                      [](const json& object) { return config::decode_tunnel(object); });
}

Answer tunnel_remove(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    candidate.tunnels.erase(*name);
    // Static entries say that an address is behind this tunnel: without it they say nothing.
    std::erase_if(candidate.static_macs, [&](const auto& entry) { return entry.second.tunnel == *name; });
    return removed_object({ObjectKind::tunnel, *name}, call, change(context, call, std::move(candidate)));
}

Answer tunnel_get(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return shown_tunnel(context.engine, call.caller, context.engine.configured().tunnels.at(*name));
}

Answer tunnel_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const json& params = call.params;
    const Model& model = context.engine.configured();
    if (auto ok = check_filters(call, model); !ok) return failure(std::move(ok.error()));
    for (const auto& [name, tunnel] : model.tunnels) {
        if (params.contains("owner") && params["owner"] != tunnel.owner) continue;
        if (params.contains("underlay") && params["underlay"] != tunnel.underlay) continue;
        if (params.contains("segment") && !carries(tunnel, params["segment"].get<std::string>())) continue;
        if (page->wants(name)) page->add(name, shown_tunnel(context.engine, call.caller, tunnel));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
