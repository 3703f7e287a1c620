// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/dispatcher.h"

#include <vector>

#include <spdlog/spdlog.h>

#include "control/api/near_names.h"
#include "control/rpc/json_rpc.h"
#include "control/rpc/params.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

bool may_call(Role role, RoleSet roles) {
    return roles == kAnyone || (static_cast<RoleSet>(role) & roles) != 0;
}

Error denied(const Caller& caller, const api::Method& method) {
    std::vector<std::string> allowed;
    for (const Role role : {Role::tenant, Role::viewer, Role::operator_, Role::admin}) {
        if (may_call(role, method.roles)) allowed.emplace_back(role_name(role));
    }
    return refusal(ErrorCode::denied, "uid " + std::to_string(caller.uid) + " may not call " + std::string(method.name),
                   "", "role " + std::string(role_name(caller.role)), joined(allowed));
}

Result<> check_shape(const json& params) {
    if (params.is_object()) return {};
    return invalid("", "parameters go by name: params is an object, not an array",
                   "an array of " + std::to_string(params.size()), R"(an object such as {"name": "blue"})");
}

}  // namespace

Dispatcher::Dispatcher(std::span<const api::Method> methods) {
    for (const api::Method& method : methods) {
        rows_.emplace(std::string(method.name), Row{.method = &method, .handler = {}});
    }
}

Result<> Dispatcher::bind(std::string_view method, Handler handler) {
    const auto row = rows_.find(method);
    if (row == rows_.end()) return failure(unknown(method));
    if (row->second.handler) {
        return failure(refusal(ErrorCode::exists, std::string(method) + " has a handler already"));
    }
    row->second.handler = std::move(handler);
    return {};
}

Result<> Dispatcher::check_complete() const {
    std::vector<std::string> lacking;
    for (const auto& [name, row] : rows_) {
        if (row.method->built_in && !row.handler) lacking.push_back(name);
    }
    if (lacking.empty()) return {};
    return failure(refusal(ErrorCode::internal, "built-in methods without a handler: " + joined(lacking)));
}

Error Dispatcher::unknown(std::string_view method) const {
    std::vector<std::string> names;
    for (const auto& [name, row] : rows_) names.push_back(name);
    const std::string near = joined(api::near_names(method, names));
    Error error = refusal(ErrorCode::method_not_found, "no such method", "", std::string(method), near);
    if (!near.empty()) error.message += "; did you mean " + near + '?';
    return error;
}

Result<json> Dispatcher::call(const Caller& caller, std::string_view method, const json& params) const {
    static const json kNone = json::object();
    const auto found = rows_.find(method);
    if (found == rows_.end()) return failure(unknown(method));
    const auto& [row, handler] = found->second;
    if (!may_call(caller.role, row->roles)) return failure(denied(caller, *row));
    if (!row->built_in || !handler) {
        return failure(refusal(ErrorCode::not_built_in, std::string(method) + " is not built in yet"));
    }
    const json& named = params.is_null() ? kNone : params;
    if (const auto ok = check_shape(named); !ok) return failure(ok.error());
    if (const auto ok = check_params(*row, named); !ok) return failure(ok.error());
    try {
        return handler({.caller = caller, .params = named, .method = *row});
    } catch (const std::exception& error) {
        // The caller gets no details: an exception is our own mistake, and its text may hold what is not theirs to see.
        spdlog::error("{} called by uid {} pid {}: {}", method, caller.uid, caller.pid, error.what());
        return failure(refusal(ErrorCode::internal, std::string(method) + " failed; the switch's log says why"));
    }
}

}  // namespace bulkhead::rpc
