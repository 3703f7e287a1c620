// SPDX-License-Identifier: Apache-2.0
#include "control/methods/secrets.h"

#include "control/methods/authority.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

bool is_hidden_mirror(const rpc::Caller& caller, const Model& model, const std::string& name) {
    const auto mirror = model.mirrors.find(name);
    return mirror != model.mirrors.end() && !may_see(caller, model, mirror->second);
}

/// `name` as texts have it: of a segment, a port, an underlay, a tunnel or a mirror, or "SEGMENT/MAC" of an fdb entry.
/// Tenants see no underlay and no tunnel, but one may be named like something that they see.
bool is_secret(const rpc::Caller& caller, const Model& model, std::string_view name) {
    const std::string object(name.substr(0, name.find('/')));
    const bool sees_segment = may_see_segment(caller, model, object), sees_port = may_see_port(caller, model, object);
    return (model.segments.contains(object) && !sees_segment) || (model.ports.contains(object) && !sees_port) ||
           ((model.underlays.contains(object) || model.tunnels.contains(object) ||
             is_hidden_mirror(caller, model, object)) &&
            !sees_segment && !sees_port);
}

std::string without_names(std::string_view text, const rpc::Caller& caller, const Model& model) {
    constexpr std::string_view kOwner = " of owner \"";
    std::string result;
    while (true) {
        const std::size_t open = text.find('"');
        const std::size_t close = open == std::string_view::npos ? open : text.find('"', open + 1);
        if (close == std::string_view::npos) return result.append(text);
        const std::string_view name = text.substr(open + 1, close - open - 1);
        const bool is_hidden = is_secret(caller, model, name);
        result.append(text.substr(0, open)).append(is_hidden ? "of somebody else" : in_quotes(name));
        text.remove_prefix(close + 1);
        if (is_hidden && text.starts_with(kOwner)) {
            const std::size_t end = text.find('"', kOwner.size());
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
    }
}

}  // namespace

Error without_secrets(Error error, const rpc::Caller& caller, const Model& model) {
    // "No such …" only repeats a name that the caller gave, and must read the same whether it is hidden or absent.
    if (!is_tenant(caller) || error.code == ErrorCode::not_found) return error;
    for (std::string* text : {&error.message, &error.got, &error.allowed}) *text = without_names(*text, caller, model);
    if (is_secret(caller, model, error.object_name)) {
        error.object_kind.clear();
        error.object_name.clear();
        error.field.clear();
    }
    return error;
}

nlohmann::json shown_reason(const Error* reason, const rpc::Caller& caller, const Model& model) {
    if (reason == nullptr) return nullptr;
    return reason_text(without_secrets(*reason, caller, model));
}

}  // namespace bulkhead::methods
