// SPDX-License-Identifier: Apache-2.0
#include "control/methods/authority.h"

#include <algorithm>

#include "control/config/config_file.h"
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
const typename Map::mapped_type* find(const Map& objects, const std::string& name) {
    auto found = objects.find(name);
    return found == objects.end() ? nullptr : &found->second;
}

// Objects of the file are not saved: whoever could make one at run time would lose it with the next restart.
Result<> check_owner(const std::string* before, const std::string& after) {
    if (after != config::kFileOwner || (before != nullptr && *before == after)) return {};
    return failure(denied("/owner", "owner \"file\" is for the objects of the configuration file", in_quotes(after),
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

Result<> check_object(const rpc::Caller& caller, const config::Node& node, const Model& before, const Model& after,
                      const ObjectKey& key) {
    auto owner = [](const auto* object) { return object == nullptr ? nullptr : &object->owner; };
    if (key.kind == ObjectKind::segment) {
        const Segment *was = find(before.segments, key.name), *is = find(after.segments, key.name);
        if (is != nullptr) {
            if (auto ok = check_owner(owner(was), is->owner); !ok) return ok;
        }
        return check_tenant(caller, was, is);
    }
    if (key.kind == ObjectKind::port) {
        const Port *was = find(before.ports, key.name), *is = find(after.ports, key.name);
        if (is != nullptr) {
            if (auto ok = check_owner(owner(was), is->owner); !ok) return ok;
        }
        return check_port(caller, node, after, was, is);
    }
    return {};  // fdb entries: by their segment and port, which the handlers look up
}

}  // namespace

bool is_tenant(const rpc::Caller& caller) {
    return caller.role == Role::tenant;
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

bool may_see(const rpc::Caller& caller, const Model& model, const StaticMac& entry) {
    return !is_tenant(caller) ||
           (may_see_segment(caller, model, entry.segment) && may_see_port(caller, model, entry.port));
}

bool may_see(const rpc::Caller& caller, const Model& model, const EngineEvent& event) {
    if (!is_tenant(caller)) return true;
    if (event.port.empty() && event.segment.empty()) return false;
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
    error.message = "no " + std::string(kind) + " " + in_quotes(name);
    error.field = std::move(field);
    error.got = in_quotes(name);
    return error;
}

}  // namespace bulkhead::methods
