// SPDX-License-Identifier: Apache-2.0
#include "control/state/owned_objects.h"

#include <map>

#include "control/state/object_key.h"
#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

template <typename Map>
void keep(Map& objects, const std::string& owner, bool is_his) {
    std::erase_if(objects, [&](const auto& entry) { return (entry.second.owner == owner) != is_his; });
}

Model filtered(Model model, const std::string& owner, bool is_his) {
    keep(model.segments, owner, is_his);
    keep(model.groups, owner, is_his);
    keep(model.ports, owner, is_his);
    keep(model.underlays, owner, is_his);
    keep(model.tunnels, owner, is_his);
    keep(model.static_macs, owner, is_his);
    keep(model.policies, owner, is_his);
    keep(model.mirrors, owner, is_his);
    return model;
}

Error about(const ObjectKey& key, Error error) {
    error.object_kind = to_string(key.kind);
    error.object_name = key.name;
    return error;
}

template <typename Map>
Result<> merge(Map& objects, const std::string& owner, const Map& desired) {
    for (const auto& [name, object] : desired) {
        const ObjectKey key = key_of(object);
        if (object.owner != owner) {
            return failure(about(key, refused("/owner", "is not whom this configuration speaks for",
                                              in_quotes(object.owner), in_quotes(owner) + ", or absent")
                                          .error()));
        }
        auto [present, is_new] = objects.emplace(name, object);
        if (is_new) continue;
        Error error;
        error.code = ErrorCode::exists;
        error.message = std::string(to_string(key.kind)) + " " + in_quotes(key.name) + " belongs to owner " +
                        in_quotes(present->second.owner);
        error.field = key.kind == ObjectKind::fdb ? "/mac" : "/name";
        error.got = in_quotes(key.name);
        error.allowed = "a name that no other owner has";
        return failure(about(key, std::move(error)));
    }
    return {};
}

}  // namespace

Model objects_of(const Model& model, const std::string& owner) {
    return filtered(model, owner, true);
}
Model objects_not_of(const Model& model, const std::string& owner) {
    return filtered(model, owner, false);
}

Result<Model> replace_owner(const Model& present, const std::string& owner, const Model& desired) {
    Model result = objects_not_of(present, owner);
    if (auto ok = merge(result.segments, owner, desired.segments); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.groups, owner, desired.groups); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.ports, owner, desired.ports); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.underlays, owner, desired.underlays); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.tunnels, owner, desired.tunnels); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.static_macs, owner, desired.static_macs); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.policies, owner, desired.policies); !ok) return failure(std::move(ok.error()));
    if (auto ok = merge(result.mirrors, owner, desired.mirrors); !ok) return failure(std::move(ok.error()));
    return result;
}

}  // namespace bulkhead
