// SPDX-License-Identifier: Apache-2.0
// segment.add, set, remove, get, list
#include <map>

#include "control/methods/objects.h"
#include "control/methods/page.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// How many ports hang on each segment; counted once for a whole list.
std::map<std::string, std::size_t> count_ports(const Model& model) {
    std::map<std::string, std::size_t> result;
    for (const auto& [name, port] : model.ports) {
        for (const Attachment& attachment : port.attachments) ++result[attachment.segment];
    }
    return result;
}

json shown_segment(const Engine& engine, const rpc::Caller& caller, const Segment& segment,
                   const std::map<std::string, std::size_t>& ports) {
    const auto attached = ports.find(segment.name);
    json object = config::encode(segment);
    object["state"] = waiting_state(engine, caller, key_of(segment));
    object["state"]["ports"] = attached == ports.end() ? 0 : attached->second;
    object["state"]["macs"] = engine.target().mac_count(segment.name);
    return object;
}

Result<std::string> visible_name(MethodContext& context, const rpc::Call& call) {
    const auto& name = call.params.at("name").get_ref<const std::string&>();
    if (may_see_segment(call.caller, context.engine.configured(), name)) return name;
    return failure(no_such("segment", name, "/name"));
}

// Ports and tunnels stay and lose what attaches them here; static entries, rules, groups and mirrors of the segment go.
// Not detached for a tenant, so that the change is refused: ports, tunnels and rules that it may not see, and ports
// that it would see no more.
void detach_all(const rpc::Caller& caller, Model& candidate, const std::string& segment) {
    // First, while the ports are there by which a tenant may see them.
    std::erase_if(candidate.mirrors, [&](const auto& entry) {
        return entry.second.segment == segment && may_see(caller, candidate, entry.second);
    });
    std::erase_if(candidate.policies, [&](const auto& entry) {
        return entry.second.segment == segment && may_see(caller, candidate, entry.second);
    });
    std::erase_if(candidate.groups, [&](const auto& entry) { return entry.second.segment == segment; });
    for (auto& [name, port] : candidate.ports) {
        if (!may_see(caller, candidate, port) || (is_tenant(caller) && port.attachments.size() == 1)) continue;
        std::erase_if(port.attachments, [&](const Attachment& attachment) { return attachment.segment == segment; });
    }
    if (!is_tenant(caller))
        for (auto& [name, tunnel] : candidate.tunnels) std::erase(tunnel.segments, segment);
    std::erase_if(candidate.static_macs, [&](const auto& entry) {
        return entry.second.segment == segment && (entry.second.tunnel.empty() || !is_tenant(caller));
    });
}

}  // namespace

Answer segment_add(MethodContext& context, const rpc::Call& call) {
    auto segment = config::decode_segment(call.params, owner_of_new(call.caller));
    if (!segment) return failure(std::move(segment.error()));
    if (is_tenant(call.caller) && !call.params.contains("tenant")) segment->tenant = call.caller.tenant;
    const std::string name = segment->name;
    return add_object(context, call, context.engine.configured(), &Model::segments, name, std::move(*segment));
}

Answer segment_set(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    return set_object(context, call, &Model::segments, *name,
                      [](const json& object) { return config::decode_segment(object); });
}

Answer segment_remove(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    Model candidate = context.engine.configured();
    if (call.params.value("force", false)) detach_all(call.caller, candidate, *name);
    candidate.segments.erase(*name);
    return removed_object({ObjectKind::segment, *name}, call, change(context, call, std::move(candidate)));
}

Answer segment_get(MethodContext& context, const rpc::Call& call) {
    auto name = visible_name(context, call);
    if (!name) return failure(std::move(name.error()));
    const Engine& engine = context.engine;
    return shown_segment(engine, call.caller, engine.configured().segments.at(*name), count_ports(engine.configured()));
}

Answer segment_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    auto differs = [&](const char* filter, const std::string& value) {
        return call.params.contains(filter) && call.params[filter] != value;
    };
    const Engine& engine = context.engine;
    const auto ports = count_ports(engine.configured());
    for (const auto& [name, segment] : engine.configured().segments) {
        if (!may_see(call.caller, segment) || differs("tenant", segment.tenant) || differs("owner", segment.owner))
            continue;
        if (page->wants(name)) page->add(name, shown_segment(engine, call.caller, segment, ports));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
