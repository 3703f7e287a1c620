// SPDX-License-Identifier: Apache-2.0
#include "control/methods/objects.h"

#include "control/config/config_document.h"
#include "control/methods/secrets.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {

using nlohmann::json;

Result<ChangeSet> change(MethodContext& context, const rpc::Call& call, Model candidate, const CommitOptions& options) {
    const Model& before = context.engine.configured();
    auto changes = [&]() -> Result<ChangeSet> {
        const auto difference = diff(before, candidate);
        if (auto ok = check_authority(call.caller, context.node, before, candidate, difference); !ok) {
            return failure(std::move(ok.error()));
        }
        return context.engine.commit(std::move(candidate), options);
    }();
    if (!changes) return failure(without_secrets(std::move(changes.error()), call.caller, before));
    return changes;
}

Error about_params(Error error, const ObjectKey& key, const json& params) {
    const bool is_own =
        error.object_kind.empty() || (error.object_kind == to_string(key.kind) && error.object_name == key.name);
    if (is_own) {
        error = config::locate_vlan(std::move(error), params);
    } else {
        if (error.message.find(in_quotes(error.object_name)) == std::string::npos)
            error.message.insert(0, error.object_kind + " " + in_quotes(error.object_name) + ": ");
        error.field.clear();
    }
    error.object_kind.clear();
    error.object_name.clear();
    return error;
}

Error exists_with_other_content(const ObjectKey& key, const json& present, const json& wanted) {
    std::string differences;
    for (const auto& [name, value] : present.items()) {
        if (wanted.contains(name) && wanted[name] == value) continue;
        differences += (differences.empty() ? "" : ", ") + name;
    }
    Error error;
    error.code = ErrorCode::exists;
    error.message = std::string(to_string(key.kind)) + " " + in_quotes(key.name) + " exists";
    if (!differences.empty()) error.message += " with other content: " + differences;
    error.field = key.kind == ObjectKind::fdb ? "/mac" : "/name";
    error.got = in_quotes(key.name);
    error.allowed = "a new name, or the same content";
    return error;
}

Answer changed_object(const ObjectKey& key, const rpc::Call& call, Result<ChangeSet> changes, json object) {
    if (!changes) return failure(about_params(std::move(changes.error()), key, call.params));
    return json{
        {"generation", changes->generation}, {"changed", !changes->changes.empty()}, {"object", std::move(object)}};
}

Answer removed_object(const ObjectKey& key, const rpc::Call& call, Result<ChangeSet> changes) {
    if (!changes) {
        Error error = about_params(std::move(changes.error()), key, call.params);
        if (error.field.empty() || !call.params.contains(error.field.substr(1))) {
            error.field = key.kind == ObjectKind::fdb ? "/mac" : "/name";
        }
        return failure(std::move(error));
    }
    return json{{"generation", changes->generation}};
}

json waiting_state(const Engine& engine, const rpc::Caller& caller, const ObjectKey& key) {
    const Error* reason = engine.waiting_reason(key);
    return {{"status", reason == nullptr ? "active" : "waiting"},
            {"reason", shown_reason(reason, caller, engine.configured())}};
}

}  // namespace bulkhead::methods
