// SPDX-License-Identifier: Apache-2.0
// What add, set and remove of every noun have in common.
#pragma once

#include <string>
#include <utility>

#include "control/config/merge.h"
#include "control/config/object_json.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"

namespace bulkhead::methods {

/// Checks the caller's authority and commits. Errors speak of the caller's view: nothing that it may not see.
[[nodiscard]] Result<ChangeSet> change(MethodContext& context, const rpc::Call& call, Model candidate,
                                       const CommitOptions& options = {});

/// Brings an Error about `key`, the object that the parameters describe, to their fields. One about another object
/// keeps no field: none of the parameters is that object's.
[[nodiscard]] Error about_params(Error error, const ObjectKey& key, const nlohmann::json& params);

/// The refusal of an `add` whose name is taken by an object of other content.
[[nodiscard]] Error exists_with_other_content(const ObjectKey& key, const nlohmann::json& present,
                                              const nlohmann::json& wanted);

/// `{"generation", "changed", "object"}`
[[nodiscard]] Answer changed_object(const ObjectKey& key, const rpc::Call& call, Result<ChangeSet> changes,
                                    nlohmann::json object);

/// add: `objects` is the map of the noun within `candidate`, a copy of what is configured.
template <typename Map, typename Object>
Answer add_object(MethodContext& context, const rpc::Call& call, Model candidate, Map Model::* objects,
                  const typename Map::key_type& name, Object object) {
    const ObjectKey key = key_of(object);
    nlohmann::json wanted = config::encode(object);
    auto [present, is_new] = (candidate.*objects).emplace(name, object);
    if (!is_new) {
        // What is hidden answers alike whether its content was guessed or not.
        const bool is_hidden = !may_see(call.caller, candidate, present->second);
        if (is_hidden || !(present->second == object)) {
            const nlohmann::json is = is_hidden ? wanted : config::encode(present->second);
            return failure(exists_with_other_content(key, is, wanted));
        }
    }
    return changed_object(key, call, change(context, call, std::move(candidate)), std::move(wanted));
}

/// set: the patch is the parameters. `decode` makes the object of the merged JSON.
template <typename Map, typename Decode>
Answer set_object(MethodContext& context, const rpc::Call& call, Map Model::* objects,
                  const typename Map::key_type& name, Decode decode) {
    Model candidate = context.engine.configured();
    auto& present = (candidate.*objects).at(name);
    const ObjectKey key = key_of(present);
    auto object = decode(config::merged(config::encode(present), call.params));
    if (!object) return failure(std::move(object.error()));
    present = std::move(*object);
    nlohmann::json answer = config::encode(present);
    return changed_object(key, call, change(context, call, std::move(candidate)), std::move(answer));
}

/// remove: `{"generation"}`
[[nodiscard]] Answer removed_object(const ObjectKey& key, const rpc::Call& call, Result<ChangeSet> changes);

/// `{"status": …, "reason": …}`: whether an object is in force, or why it waits.
[[nodiscard]] nlohmann::json waiting_state(const Engine& engine, const rpc::Caller& caller, const ObjectKey& key);

}  // namespace bulkhead::methods
