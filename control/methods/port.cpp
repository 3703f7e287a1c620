// SPDX-License-Identifier: Apache-2.0
// port.add, set, move, remove, get, list
#include <algorithm>
#include <numeric>

#include "control/config/enum_names.h"
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/secrets.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

constexpr std::string_view kStatus[] = {"up", "down", "waiting"};

std::string_view status_of(const PortCondition& condition) {
    return kStatus[static_cast<std::size_t>(condition.status)];
}

json details_of(const PortState& device) {
    json details = json::object();
    for (const auto& [key, value] : device.details) details[key] = value;
    return details;
}

json virtqueues_of(const PortState& device) {
    json rings = json::array();
    for (const VirtqueueState& ring : device.virtqueues) {
        json& shown = rings.emplace_back(json{{"index", ring.index},
                                              {"direction", ring.to_guest ? "to_guest" : "from_guest"},
                                              {"enabled", ring.enabled},
                                              {"size", ring.size},
                                              {"packets", ring.frames},
                                              {"bytes", ring.bytes}});
        if (ring.to_guest) shown["full"] = ring.full;
    }
    return rings;
}

json shown_port(const Engine& engine, const rpc::Caller& caller, const Port& port, const PortCondition& condition) {
    const PortState device = condition.device.value_or(PortState{});
    const TrafficStats traffic = engine.target().port_stats(port.name);
    json queues = json::array();
    for (const QueueAssignment& assignment : engine.target().queue_plan(port.name)) {
        queues.push_back({{"queue", assignment.queue}, {"worker", assignment.worker}});
    }
    json object = config::encode(port);
    const Error* reason = condition.reason ? &*condition.reason : nullptr;
    object["state"] = {
        {"status", status_of(condition)}, {"reason", shown_reason(reason, caller, engine.configured())},
        {"link", device.link_up},         {"guest_connected", device.guest_connected},
        {"features", device.features},    {"queues_enabled", device.queues_enabled},
        {"driver", device.driver},        {"mac", device.mac},
        {"queues", std::move(queues)},    {"rx_packets", traffic.rx_packets},
        {"rx_bytes", traffic.rx_bytes},   {"tx_packets", traffic.tx_packets},
        {"tx_bytes", traffic.tx_bytes},   {"drops", std::reduce(traffic.drops.begin(), traffic.drops.end())},
        {"details", details_of(device)}};
    if (std::holds_alternative<VhostUserDevice>(port.device)) object["state"]["virtqueues"] = virtqueues_of(device);
    return object;
}

Result<std::string> visible_name(MethodContext& context, const rpc::Call& call) {
    const auto& name = call.params.at("name").get_ref<const std::string&>();
    if (may_see_port(call.caller, context.engine.configured(), name)) return name;
    return failure(no_such("port", name, "/name"));
}

// Looked at before the whole: with another type the fields that the port has would seem to be what is wrong.
Result<> check_type(const MethodContext& context, const rpc::Call& call, const std::string& name) {
    auto type = call.params.find("type");
    if (type == call.params.end() || type->is_null()) return {};
    const json before = config::encode(context.engine.configured().ports.at(name));
    auto field = std::ranges::find(api::port_fields(), "type", &api::Field::name);
    return config::check_immutable({field, 1}, "port", before, config::merged(before, {{"type", *type}}));
}

bool is_attached(const Port& port, const std::string& segment) {
    return std::ranges::any_of(port.attachments, [&](const Attachment& a) { return a.segment == segment; });
}

Result<> check_word(const json& params, const char* filter, std::span<const std::string_view> allowed) {
    if (!params.contains(filter) || std::ranges::find(allowed, params[filter]) != allowed.end()) return {};
    return refused(config::pointer_token(filter), "is none of those there are", config::shown(params[filter]),
                   config::listed(allowed));
}

Result<> check_filters(const rpc::Call& call, const Model& model) {
    if (auto ok = check_word(call.params, "type", config::kPortTypes); !ok) return ok;
    if (auto ok = check_word(call.params, "state", kStatus); !ok) return ok;
    if (!call.params.contains("segment")) return {};
    const auto segment = call.params["segment"].get<std::string>();
    // A port may wait for a segment that is not there.
    const bool is_waited_for = std::ranges::any_of(model.ports, [&](const auto& entry) {
        return is_attached(entry.second, segment) && may_see(call.caller, model, entry.second);
    });
    if (may_see_segment(call.caller, model, segment) || is_waited_for) return {};
    return failure(no_such("segment", segment, "/segment"));
}

}  // namespace

Answer port_add(MethodContext& context, const rpc::Call& call) {
    auto port = config::decode_port(call.params, owner_of_new(call.caller));
    if (!port) return failure(std::move(port.error()));
    const std::string name = port->name;
    return add_object(context, call, context.engine.configured(), &Model::ports, name, std::move(*port));
}

Answer port_set(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    if (auto ok = check_type(context, call, *name); !ok) return failure(std::move(ok.error()));
    return set_object(context, call, &Model::ports, *name,
                      [](const json& object) { return config::decode_port(object); });
}

Answer port_move(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    Port& port = candidate.ports.at(*name);
    const auto attachment = std::ranges::find_if(port.attachments, [](const Attachment& a) { return !a.vlan; });
    if (attachment == port.attachments.end())
        return refused("/name", "has no segment for untagged frames", in_quotes(*name),
                       "a port with one; of a trunk, set vlans with port.set");
    const std::string former = std::exchange(attachment->segment, call.params.at("segment").get<std::string>());
    if (former != attachment->segment) {
        // A group of the former segment; one of that name in the other must not make a friend of a prisoner.
        attachment->group.clear();
        std::erase_if(candidate.static_macs,
                      [&](const auto& entry) { return entry.second.port == *name && entry.second.segment == former; });
    }
    auto changes = change(context, call, std::move(candidate));
    if (changes) return json{{"generation", changes->generation}};
    Error error = about_params(std::move(changes.error()), {ObjectKind::port, *name}, call.params);
    // Its addresses may be taken there, say: the segment is what was asked for.
    if (error.field != "/name") error.field = "/segment";
    return failure(std::move(error));
}

Answer port_remove(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    candidate.ports.erase(*name);
    // Static entries say that an address is behind this port: without it they say nothing.
    std::erase_if(candidate.static_macs, [&](const auto& entry) { return entry.second.port == *name; });
    return removed_object({ObjectKind::port, *name}, call, change(context, call, std::move(candidate)));
}

Answer port_get(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    const Engine& engine = context.engine;
    return shown_port(engine, call.caller, engine.configured().ports.at(*name), engine.port_condition(*name));
}

Answer port_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const json& params = call.params;
    const Engine& engine = context.engine;
    if (auto ok = check_filters(call, engine.configured()); !ok) return failure(std::move(ok.error()));
    for (const auto& [name, port] : engine.configured().ports) {
        if (!may_see(call.caller, engine.configured(), port)) continue;
        if (params.contains("owner") && params["owner"] != port.owner) continue;
        if (params.contains("type") && params["type"] != config::kPortTypes[port.device.index()]) continue;
        if (params.contains("segment") && !is_attached(port, params["segment"].get<std::string>())) continue;
        const bool filters_state = params.contains("state");
        if (!filters_state && !page->wants(name)) continue;
        const PortCondition condition = engine.port_condition(name);
        if (filters_state && (params["state"] != status_of(condition) || !page->wants(name))) continue;
        page->add(name, shown_port(engine, call.caller, port, condition));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
