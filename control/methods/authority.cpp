// SPDX-License-Identifier: Apache-2.0
#include "control/methods/authority.h"

#include <algorithm>

#include "control/config/config_file.h"
#include "control/config/object_reader.h"
#include "control/methods/path_rules.h"
#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

Error denied(std::string field, std::string message, std::string got = {}, std::string allowed = {}) {
    Error error = invalid(std::move(field), std::move(message), std::move(got), std::move(allowed)).error();
    error.code = ErrorCode::denied;
    return error;
}

template <typename Map>
const typename Map::mapped_type* find(const Map& objects, const typename Map::key_type& name) {
    auto found = objects.find(name);
    return found == objects.end() ? nullptr : &found->second;
}

// Objects of the file are not saved: whoever made or changed one at run time would lose that with the next restart.
Result<> check_owner(const ObjectKey& key, const std::string* before, const std::string* after) {
    if (before != nullptr && *before == config::kFileOwner) {
        return failure(denied(key.kind == ObjectKind::fdb ? "/mac" : "/name",
                              std::string(to_string(key.kind)) + " " + in_quotes(key.name) +
                                  " belongs to the configuration file: change it there and restart",
                              in_quotes(key.name), "what another owner has"));
    }
    if (after == nullptr || *after != config::kFileOwner) return {};
    return failure(denied("/owner", "owner \"file\" is for the objects of the configuration file", in_quotes(*after),
                          "any other name"));
}

Result<> check_tenant(const rpc::Caller& caller, const Segment* before, const Segment* after) {
    if (!is_tenant(caller) || after == nullptr) return {};
    if (after->tenant == caller.tenant && (before == nullptr || before->tenant == caller.tenant)) return {};
    return failure(
        denied("/tenant", "a tenant's segments are its own", in_quotes(after->tenant), in_quotes(caller.tenant)));
}

Result<> check_attachments(const rpc::Caller& caller, const Model& model, const Port& port) {
    if (!is_tenant(caller)) return {};
    if (port.attachments.empty()) {
        return failure(denied("/segment", "a tenant's port is attached to one of its segments", {}, "a segment"));
    }
    for (const Attachment& attachment : port.attachments) {
        if (may_see_segment(caller, model, attachment.segment)) continue;
        return failure(no_such_segment(attachment.segment, attachment_pointer(port, attachment) + "/segment"));
    }
    return {};
}

Result<> check_port(const rpc::Caller& caller, const config::Node& node, const Model& after_model, const Port* before,
                    const Port* after) {
    if (caller.role == Role::admin) return {};
    for (const Port* port : {before, after}) {
        if (port != nullptr && std::holds_alternative<EthdevDevice>(port->device)) {
            return failure(
                denied("/type", "ports of type ethdev are the admin's alone", "\"ethdev\"", "vhost-user or tap"));
        }
    }
    if (after == nullptr) return {};
    if (before == nullptr) {
        if (auto ok = check_paths(node, *after); !ok) return ok;
    }
    return check_attachments(caller, after_model, *after);
}

Result<> check_group(const rpc::Caller& caller, const Model& after_model, const Group* after) {
    if (after == nullptr || may_see(caller, after_model, *after)) return {};
    return failure(no_such_segment(after->segment, "/segment"));
}

Result<> check_policy(const rpc::Caller& caller, const Model& after_model, const Policy* after) {
    if (after == nullptr || may_see(caller, after_model, *after)) return {};
    if (!may_see_segment(caller, after_model, after->segment))
        return failure(no_such_segment(after->segment, "/segment"));
    return failure(no_such_object("port", after->to_port, "/to_port", "the name of a port of the segment"));
}

Result<> check_mirror(const rpc::Caller& caller, const Model& after_model, const Mirror* after) {
    if (after == nullptr || may_see(caller, after_model, *after)) return {};
    if (after->vni)
        return failure(denied("/vni", "mirrors through tunnels are the operators' alone", std::to_string(*after->vni),
                              "a port of the tenant"));
    if (!after->port.empty() && !may_see_port(caller, after_model, after->port))
        return failure(no_such_object("port", after->port, "/port", "the name of a port"));
    if (!after->segment.empty() && !may_see_segment(caller, after_model, after->segment))
        return failure(no_such_segment(after->segment, "/segment"));
    return failure(no_such_object("port", after->to, "/to", "the name of a port"));
}

std::pair<std::string, MacAddress> fdb_key(const std::string& name) {
    const std::size_t slash = name.find('/');
    return {name.substr(0, slash), MacAddress::parse(name.substr(slash + 1)).value_or(MacAddress())};
}

Result<> check_object(const rpc::Caller& caller, const config::Node& node, const Model& before, const Model& after,
                      const ObjectKey& key) {
    auto owner = [](const auto* object) { return object == nullptr ? nullptr : &object->owner; };
    if (key.kind == ObjectKind::segment) {
        const Segment *was = find(before.segments, key.name), *is = find(after.segments, key.name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        return check_tenant(caller, was, is);
    }
    if (key.kind == ObjectKind::port) {
        const Port *was = find(before.ports, key.name), *is = find(after.ports, key.name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        return check_port(caller, node, after, was, is);
    }
    if (key.kind == ObjectKind::underlay) {
        const Underlay *was = find(before.underlays, key.name), *is = find(after.underlays, key.name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        if (caller.role == Role::admin) return {};
        return failure(denied("/name", "underlays are the admin's alone", in_quotes(key.name)));
    }
    if (key.kind == ObjectKind::tunnel) {
        const Tunnel *was = find(before.tunnels, key.name), *is = find(after.tunnels, key.name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        if (!is_tenant(caller)) return {};
        return failure(denied("/name", "tunnels are the operators' alone", in_quotes(key.name)));
    }
    if (key.kind == ObjectKind::group) {
        const auto name = segment_and_name(key.name);
        const Group *was = find(before.groups, name), *is = find(after.groups, name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        return check_group(caller, after, is);
    }
    if (key.kind == ObjectKind::policy) {
        const auto name = segment_and_name(key.name);
        const Policy *was = find(before.policies, name), *is = find(after.policies, name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        return check_policy(caller, after, is);
    }
    if (key.kind == ObjectKind::mirror) {
        const Mirror *was = find(before.mirrors, key.name), *is = find(after.mirrors, key.name);
        if (auto ok = check_owner(key, owner(was), owner(is)); !ok) return ok;
        return check_mirror(caller, after, is);
    }
    // Whether the caller sees an fdb entry's segment, port and tunnel, the handlers look up.
    const auto entry = fdb_key(key.name);
    return check_owner(key, owner(find(before.static_macs, entry)), owner(find(after.static_macs, entry)));
}

}  // namespace

bool is_tenant(const rpc::Caller& caller) {
    return caller.role == Role::tenant;
}

std::string owner_of_new(const rpc::Caller& caller) {
    return is_tenant(caller) && caller.tenant != config::kFileOwner ? caller.tenant : std::string();
}

bool may_see(const rpc::Caller& caller, const Segment& segment) {
    return !is_tenant(caller) || (!caller.tenant.empty() && segment.tenant == caller.tenant);
}

bool may_see_segment(const rpc::Caller& caller, const Model& model, const std::string& name) {
    const Segment* segment = find(model.segments, name);
    return segment != nullptr && may_see(caller, *segment);
}

bool may_see(const rpc::Caller& caller, const Model& model, const Port& port) {
    if (!is_tenant(caller)) return true;
    return !port.attachments.empty() && std::ranges::all_of(port.attachments, [&](const Attachment& attachment) {
        return may_see_segment(caller, model, attachment.segment);
    });
}

bool may_see_port(const rpc::Caller& caller, const Model& model, const std::string& name) {
    const Port* port = find(model.ports, name);
    return port != nullptr && may_see(caller, model, *port);
}

bool may_see_tunnel(const rpc::Caller& caller, const Model& model, const std::string& name) {
    const Tunnel* tunnel = find(model.tunnels, name);
    return tunnel != nullptr && may_see(caller, model, *tunnel);
}

bool may_see(const rpc::Caller& caller, const Model& model, const StaticMac& entry) {
    if (!is_tenant(caller)) return true;
    return may_see_segment(caller, model, entry.segment) && entry.tunnel.empty() &&
           may_see_port(caller, model, entry.port);
}

bool may_see(const rpc::Caller& caller, const Model& model, const Policy& policy) {
    if (!is_tenant(caller)) return true;
    return may_see_segment(caller, model, policy.segment) &&
           (policy.to_port.empty() || may_see_port(caller, model, policy.to_port));
}

bool may_see(const rpc::Caller& caller, const Model& model, const Mirror& mirror) {
    if (!is_tenant(caller)) return true;
    return !mirror.vni && may_see_port(caller, model, mirror.to) &&
           (mirror.port.empty() || may_see_port(caller, model, mirror.port)) &&
           (mirror.segment.empty() || may_see_segment(caller, model, mirror.segment));
}

bool may_see(const rpc::Caller& caller, const Model& model, const EngineEvent& event) {
    if (!is_tenant(caller)) return true;
    if ((event.port.empty() && event.segment.empty()) || !event.tunnel.empty()) return false;
    return (event.port.empty() || may_see_port(caller, model, event.port)) &&
           (event.segment.empty() || may_see_segment(caller, model, event.segment));
}

Result<> check_authority(const rpc::Caller& caller, const config::Node& node, const Model& before, const Model& after,
                         const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        auto ok = check_object(caller, node, before, after, change.object);
        if (ok) continue;
        ok.error().object_kind = to_string(change.object.kind);
        ok.error().object_name = change.object.name;
        return ok;
    }
    return {};
}

Error no_such(std::string_view kind, std::string_view name, std::string field) {
    Error error;
    error.code = ErrorCode::not_found;
    error.message = "no " + std::string(kind) + " " + config::shown(name);
    error.field = std::move(field);
    error.got = config::shown(name);
    return error;
}

}  // namespace bulkhead::methods
