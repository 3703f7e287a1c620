// SPDX-License-Identifier: Apache-2.0
// The words in which the contract is told to people and programs: JSON types, roles, error codes, kinds of objects.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "control/api/fields.h"
#include "control/api/role.h"
#include "vswitch/base/result.h"

namespace bulkhead::api {

/// JSON's own name of the type; "any" for JsonType::any.
[[nodiscard]] std::string_view type_name(JsonType type);

/// "admin", "operator", …, the mightiest first; {"any"} when callers with no role may call too.
[[nodiscard]] std::vector<std::string_view> role_names(RoleSet roles);

struct ErrorCodeText {
    ErrorCode code;
    std::string_view name;
    std::string_view help;
};
[[nodiscard]] std::span<const ErrorCodeText> error_codes();

/// A kind of object of the configuration, with the place where it appears in the document.
struct ObjectType {
    std::string_view name;   ///< "Segment": its name among the schemas of rpc.discover
    std::string_view place;  ///< JSON pointer into the configuration, `*` for an entry of an array
    std::string_view help;
    std::span<const Field> fields;
};
[[nodiscard]] std::span<const ObjectType> object_types();
/// The type of a field that holds one object, or an array of them; nullptr if it is no such field or not built in yet.
[[nodiscard]] const ObjectType* object_type_of(const Field& field);

}  // namespace bulkhead::api
