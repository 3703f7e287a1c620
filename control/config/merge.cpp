// SPDX-License-Identifier: Apache-2.0
#include "control/config/merge.h"

#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::config {

using nlohmann::json;

json merged(json object, const json& patch) {
    object.merge_patch(patch);
    return object;
}

Result<> check_immutable(std::span<const api::Field> fields, std::string_view kind, const json& before,
                         const json& after) {
    auto value_in = [](const json& object, std::string_view name) { return object.value(std::string(name), json()); };
    for (const api::Field& field : fields) {
        if (!field.immutable) continue;
        const json was = value_in(before, field.name), is = value_in(after, field.name);
        if (was == is) continue;
        return refused(pointer_token(field.name),
                       "can't be changed: remove the " + std::string(kind) + " and add it again",
                       is.is_null() ? "" : shown(is), was.is_null() ? "as it is: absent" : "as it is: " + shown(was));
    }
    return {};
}

}  // namespace bulkhead::config
