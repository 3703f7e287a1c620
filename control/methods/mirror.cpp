// SPDX-License-Identifier: Apache-2.0
// mirror.add, set, remove, get, list
#include <array>

#include "control/methods/mirror_state.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/secrets.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The port without which a mirror in force copies nothing yet; nothing: all are open.
std::optional<PortCondition> waiting_port(const Engine& engine, const Mirror& mirror) {
    const Model& model = engine.configured();
    std::string to = mirror.to;
    if (const auto tunnel = model.tunnels.find(mirror.to); mirror.vni && tunnel != model.tunnels.end()) {
        const auto underlay = model.underlays.find(tunnel->second.underlay);
        if (underlay != model.underlays.end()) to = underlay->second.port;
    }
    for (const std::string& name : {mirror.port, to}) {
        if (name.empty()) continue;
        PortCondition condition = engine.port_condition(name);
        if (condition.status == PortCondition::Status::waiting) return condition;
    }
    return std::nullopt;
}

json shown_mirror(const Engine& engine, const rpc::Caller& caller, const Mirror& mirror) {
    json object = config::encode(mirror);
    json& state = object["state"] = waiting_state(engine, caller, key_of(mirror));
    if (const auto port = waiting_port(engine, mirror); port && state["status"] == "active") {
        state["status"] = "waiting";
        state["reason"] = shown_reason(port->reason ? &*port->reason : nullptr, caller, engine.configured());
    }
    state.update(shown_copies(engine.target().mirror_stats({}, mirror.name)));
    return object;
}

Result<std::string> visible_name(const MethodContext& context, const rpc::Call& call) {
    const auto& name = call.params.at("name").get_ref<const std::string&>();
    const Model& model = context.engine.configured();
    const auto mirror = model.mirrors.find(name);
    if (mirror != model.mirrors.end() && may_see(call.caller, model, mirror->second)) return name;
    return failure(no_such("mirror", name, "/name"));
}

}  // namespace

json shown_copies(const MirrorStats& stats) {
    constexpr std::array<const char*, kCopyLosses> kNames = {"mirror_full", "no_buffer", "busy", "unreachable",
                                                             "unfinished"};
    json drops = json::object();
    for (std::size_t loss = 0; loss < kCopyLosses; ++loss) drops[kNames[loss]] = stats.lost[loss];
    return {{"packets", stats.packets}, {"bytes", stats.bytes}, {"drops", std::move(drops)}};
}

Answer mirror_add(MethodContext& context, const rpc::Call& call) {
    auto mirror = config::decode_mirror(call.params, owner_of_new(call.caller));
    if (!mirror) return failure(std::move(mirror.error()));
    const std::string name = mirror->name;
    return add_object(context, call, context.engine.configured(), &Model::mirrors, name, std::move(*mirror));
}

Answer mirror_set(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return set_object(context, call, &Model::mirrors, *name,
                      [](const json& object) { return config::decode_mirror(object); });
}

Answer mirror_remove(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    candidate.mirrors.erase(*name);
    return removed_object({ObjectKind::mirror, *name}, call, change(context, call, std::move(candidate)));
}

Answer mirror_get(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return shown_mirror(context.engine, call.caller, context.engine.configured().mirrors.at(*name));
}

Answer mirror_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const Model& model = context.engine.configured();
    const auto differs = [&](const char* filter, const std::string& value) {
        return call.params.contains(filter) && call.params[filter] != value;
    };
    for (const auto& [name, mirror] : model.mirrors) {
        if (!may_see(call.caller, model, mirror) || differs("segment", mirror.segment) ||
            differs("port", mirror.port) || differs("owner", mirror.owner))
            continue;
        if (page->wants(name)) page->add(name, shown_mirror(context.engine, call.caller, mirror));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
