// SPDX-License-Identifier: Apache-2.0
#include "control/api/openrpc.h"

#include <string>

#include "control/api/methods.h"
#include "control/api/vocabulary.h"

namespace bulkhead::api {
namespace {

using nlohmann::json;

json reference(const ObjectType& type) {
    return {{"$ref", "#/components/schemas/" + std::string(type.name)}};
}

json schema_of(const Field& field) {
    const ObjectType* object = object_type_of(field);
    if (object != nullptr && field.type == JsonType::object) return reference(*object);
    json schema = json::object();
    if (field.type != JsonType::any) schema["type"] = type_name(field.type);
    if (object != nullptr)
        schema["items"] = reference(*object);
    else if (field.type == JsonType::array && field.items == JsonType::any)
        schema["items"] = json::object();
    else if (field.type == JsonType::array)
        schema["items"] = {{"type", type_name(field.items)}};
    if (!field.default_json.empty()) schema["default"] = json::parse(field.default_json);
    return schema;
}

json property(const Field& field) {
    json schema = schema_of(field);
    // Beside "$ref" JSON Schema draft 7 ignores every other keyword, so such a property has its type's description.
    if (schema.contains("$ref")) return schema;
    schema["description"] = field.help;
    if (!field.built_in) schema["x-built-in"] = false;
    if (field.immutable) schema["x-immutable"] = true;
    return schema;
}

json object_schema(const ObjectType& type) {
    json properties = json::object(), required = json::array();
    for (const Field& field : type.fields) {
        properties[std::string(field.name)] = property(field);
        if (field.required) required.push_back(field.name);
    }
    return {{"type", "object"},
            {"description", type.help},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
}

/// In a merge patch (RFC 7396) null stands for "back to the default".
json patch_schema(const Field& field) {
    if (field.required || field.type == JsonType::any) return schema_of(field);
    return {{"anyOf", {schema_of(field), {{"type", "null"}}}}};
}

json param_descriptor(const Method& method, const Field& field) {
    json descriptor = {{"name", field.name},
                       {"description", field.help},
                       {"required", field.required},
                       {"schema", method.merge_patch ? patch_schema(field) : schema_of(field)}};
    if (!field.built_in) descriptor["x-built-in"] = false;
    return descriptor;
}

json error_list() {
    json errors = json::array();
    for (const ErrorCodeText& error : error_codes())
        errors.push_back({{"code", static_cast<int>(error.code)}, {"message", error.name}});
    return errors;
}

json method_object(const Method& method) {
    json params = json::array();
    for (const Field& field : method.params) params.push_back(param_descriptor(method, field));
    json schema = {{"type", "object"}, {"description", method.result}};
    return {{"name", method.name},
            {"summary", method.help},
            {"paramStructure", "by-name"},
            {"params", std::move(params)},
            {"result", {{"name", "result"}, {"schema", std::move(schema)}}},
            {"errors", error_list()},
            {"x-role", role_names(method.roles)},
            {"x-built-in", method.built_in}};
}

}  // namespace

json open_rpc_document() {
    json methods = json::array(), schemas = json::object();
    for (const Method& method : method_table()) methods.push_back(method_object(method));
    for (const ObjectType& type : object_types()) schemas[std::string(type.name)] = object_schema(type);
    return {{"openrpc", "1.2.6"},
            {"info",
             {{"title", "Bulkhead control"},
              {"description", "JSON-RPC 2.0 on a Unix stream socket, one request a line"},
              {"version", BULKHEAD_VERSION},
              {"license", {{"name", "Apache-2.0"}}}}},
            {"methods", std::move(methods)},
            {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace bulkhead::api
