// SPDX-License-Identifier: Apache-2.0
// underlay.add, set, remove, get, list, neighbors
#include <algorithm>
#include <map>
#include <numeric>

#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/secrets.h"
#include "vswitch/model/host_tap.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

json shown_addresses(const Underlay& underlay, const std::vector<NeighborInfo>& neighbors) {
    json addresses = json::array();
    for (const IpPrefix& own : underlay.addresses) {
        const bool is_duplicate = std::ranges::any_of(
            neighbors, [&](const NeighborInfo& other) { return other.is_duplicate && other.ip == own.address; });
        addresses.push_back({{"address", own.to_string()}, {"duplicate", is_duplicate}});
    }
    return addresses;
}

std::string_view name_of(PortCondition::Status status) {
    switch (status) {
        case PortCondition::Status::up:
            return "up";
        case PortCondition::Status::down:
            return "down";
        case PortCondition::Status::waiting:
            return "waiting";
    }
    return {};
}

/// As of a port: rx is what this node's kernel sent.
json shown_host_tap(const Engine& engine, const rpc::Caller& caller, const Underlay& underlay) {
    if (underlay.host_tap.empty()) return {};
    const std::string port = host_port_name(underlay.host_tap);
    const PortCondition condition = engine.port_condition(port);
    const TrafficStats traffic = engine.target().port_stats(port);
    return {{"status", name_of(condition.status)},
            {"reason", shown_reason(condition.reason ? &*condition.reason : nullptr, caller, engine.configured())},
            {"rx_packets", traffic.rx_packets},
            {"rx_bytes", traffic.rx_bytes},
            {"tx_packets", traffic.tx_packets},
            {"tx_bytes", traffic.tx_bytes},
            {"drops", std::reduce(traffic.drops.begin(), traffic.drops.end())}};
}

json shown_underlay(const Engine& engine, const rpc::Caller& caller, const Underlay& underlay) {
    const Error* reason = engine.waiting_reason(key_of(underlay));
    const PortCondition port = engine.port_condition(underlay.port);
    const PortState device = port.device.value_or(PortState{});
    // In force, it still waits with its port.
    if (reason == nullptr && port.reason) reason = &*port.reason;
    const bool is_waiting = reason != nullptr || port.status == PortCondition::Status::waiting;
    json object = config::encode(underlay);
    object["state"] = {{"status", is_waiting       ? "waiting"
                                  : device.link_up ? "up"
                                                   : "down"},
                       {"reason", shown_reason(reason, caller, engine.configured())},
                       {"link", device.link_up},
                       {"mac", device.mac},
                       {"addresses", shown_addresses(underlay, engine.target().neighbors(underlay.name))},
                       {"host_tap", shown_host_tap(engine, caller, underlay)}};
    return object;
}

json shown_neighbor(const std::string& underlay, const NeighborInfo& neighbor) {
    return {{"underlay", underlay},
            {"ip", neighbor.ip.to_string()},
            {"mac", neighbor.mac ? json(neighbor.mac->to_string()) : json()},
            {"state", neighbor.state},
            {"age_s", neighbor.age_s},
            {"duplicate", neighbor.is_duplicate}};
}

Result<std::string> known_name(const MethodContext& context, const rpc::Call& call) {
    const auto& name = call.params.at("name").get_ref<const std::string&>();
    if (context.engine.configured().underlays.contains(name)) return name;
    return failure(no_such("underlay", name, "/name"));
}

}  // namespace

Answer underlay_add(MethodContext& context, const rpc::Call& call) {
    auto underlay = config::decode_underlay(call.params, owner_of_new(call.caller));
    if (!underlay) return failure(std::move(underlay.error()));
    const std::string name = underlay->name;
    return add_object(context, call, context.engine.configured(), &Model::underlays, name, std::move(*underlay));
}

Answer underlay_set(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return set_object(context, call, &Model::underlays, *name,
                      [](const json& object) { return config::decode_underlay(object); });
}

Answer underlay_remove(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    candidate.underlays.erase(*name);
    return removed_object({ObjectKind::underlay, *name}, call, change(context, call, std::move(candidate)));
}

Answer underlay_get(MethodContext& context, const rpc::Call& call) {
    auto name = known_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return shown_underlay(context.engine, call.caller, context.engine.configured().underlays.at(*name));
}

Answer underlay_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    for (const auto& [name, underlay] : context.engine.configured().underlays) {
        if (call.params.contains("owner") && call.params["owner"] != underlay.owner) continue;
        if (page->wants(name)) page->add(name, shown_underlay(context.engine, call.caller, underlay));
    }
    return std::move(*page).answer();
}

Answer underlay_neighbors(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    if (call.params.contains("name")) {
        if (auto name = known_name(context, call); !name) return failure(std::move(name.error()));
    }
    std::map<std::string, json> rows;  // by the key of the page
    for (const auto& [name, underlay] : context.engine.configured().underlays) {
        if (call.params.contains("name") && call.params["name"] != name) continue;
        for (const NeighborInfo& neighbor : context.engine.target().neighbors(name))
            rows.emplace(name + "/" + neighbor.ip.to_string(), shown_neighbor(name, neighbor));
    }
    for (auto& [key, row] : rows)
        if (page->wants(key)) page->add(key, std::move(row));
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
