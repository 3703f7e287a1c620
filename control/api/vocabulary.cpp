// SPDX-License-Identifier: Apache-2.0
#include "control/api/vocabulary.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bulkhead::api {
namespace {

constexpr std::array kErrorCodes = {
    ErrorCodeText{ErrorCode::parse_error, "parse error", "the line is not JSON"},
    ErrorCodeText{ErrorCode::invalid_request, "invalid request", "the JSON is not a JSON-RPC 2.0 request"},
    ErrorCodeText{ErrorCode::method_not_found, "method not found", "no method has that name"},
    ErrorCodeText{ErrorCode::invalid_params, "invalid parameters",
                  "`data` names the field, what was got and what is allowed"},
    ErrorCodeText{ErrorCode::internal, "internal error", "a fault of the switch; its log says more"},
    ErrorCodeText{ErrorCode::not_found, "not found", "nothing has that name, or it is another tenant's"},
    ErrorCodeText{ErrorCode::exists, "exists", "the name is taken by something with other content"},
    ErrorCodeText{ErrorCode::conflict, "conflict", "the generation is not the expected one: read again, then decide"},
    ErrorCodeText{ErrorCode::in_use, "in use", "something else still refers to it"},
    ErrorCodeText{ErrorCode::limit, "limit", "a table or a bound is full"},
    ErrorCodeText{ErrorCode::denied, "denied", "the caller's role may not do that"},
    ErrorCodeText{ErrorCode::not_ready, "not ready", "for a moment only: try again"},
    ErrorCodeText{ErrorCode::not_built_in, "not built in yet", "the method or field is planned and not there yet"},
    ErrorCodeText{ErrorCode::device_failed, "device failed", "the kernel, the driver or the guest's socket said no"},
};

}  // namespace

std::string_view type_name(JsonType type) {
    switch (type) {
        case JsonType::string:
            return "string";
        case JsonType::integer:
            return "integer";
        case JsonType::boolean:
            return "boolean";
        case JsonType::array:
            return "array";
        case JsonType::object:
            return "object";
        case JsonType::any:
            break;
    }
    return "any";
}

std::vector<std::string_view> role_names(RoleSet roles) {
    if (roles == kAnyone) return {"any"};
    constexpr std::array kNames = {std::pair{Role::admin, "admin"}, std::pair{Role::operator_, "operator"},
                                   std::pair{Role::viewer, "viewer"}, std::pair{Role::tenant, "tenant"}};
    std::vector<std::string_view> names;
    for (const auto& [role, name] : kNames)
        if ((roles & static_cast<RoleSet>(role)) != 0) names.emplace_back(name);
    return names;
}

std::span<const ErrorCodeText> error_codes() {
    return kErrorCodes;
}

std::span<const ObjectType> object_types() {
    static const std::array types = {
        ObjectType{"Configuration", "", "everything configured; unknown keys are errors", config_fields()},
        ObjectType{"Node", "/node", "this node; fixed at start", node_fields()},
        ObjectType{"Idle", "/node/idle", "what a worker does when there is no traffic", idle_fields()},
        ObjectType{"Role", "/node/roles/*", "who may do what: give `uid` or `group`, and the role", role_fields()},
        ObjectType{"Segment", "/segments/*", "an isolated layer-2 domain", segment_fields()},
        ObjectType{"Port", "/ports/*", "where frames enter and leave, with its untagged attachment", port_fields()},
        ObjectType{"Limits", "/ports/*/limits", "what a port may do at most", limit_fields()},
        ObjectType{"Attachment", "/ports/*/vlans/*", "a tagged attachment of a trunk port", attachment_fields()},
        ObjectType{"Underlay", "/underlays/*", "the NIC port and addresses by which this node reaches others",
                   underlay_fields()},
        ObjectType{"Neighbor", "/underlays/*/neighbors/*", "a fixed neighbour of an underlay", neighbor_fields()},
        ObjectType{"Tunnel", "/tunnels/*", "a remote node", tunnel_fields()},
        ObjectType{"StaticMac", "/fdb/*", "a static entry of a segment's MAC table", fdb_fields()},
        ObjectType{"Group", "/groups/*", "a named set of attachments of one segment", group_fields()},
        ObjectType{"Policy", "/policies/*", "a rule: who may talk to whom in a segment; what it names must all match",
                   policy_fields()},
        ObjectType{"PolicyFrom", "/policies/*/from", "senders that a rule is about; an empty list matches every one",
                   policy_end_fields()},
        ObjectType{"PolicyTo", "/policies/*/to", "receivers that a rule is about; an empty list matches every one",
                   policy_end_fields()},
        ObjectType{"Mirror", "/mirrors/*", "copies of traffic for an observer; docs/mirrors.md says of which",
                   mirror_fields()},
    };
    return types;
}

const ObjectType* object_type_of(const Field& field) {
    if (field.type != JsonType::object && (field.type != JsonType::array || field.items != JsonType::object))
        return nullptr;
    if (field.name == "config") return object_types().data();
    for (const ObjectType& type : object_types()) {
        std::string_view place = type.place;
        if (place.ends_with("/*")) place.remove_suffix(2);
        if (place.substr(place.rfind('/') + 1) == field.name) return &type;
    }
    return nullptr;
}

}  // namespace bulkhead::api
