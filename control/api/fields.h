// SPDX-License-Identifier: Apache-2.0
// The fields of every configuration object, in one place: the JSON codec refuses what is not in here, the method table
// and docs/api.md take names, types and help from it.
#pragma once

#include <span>
#include <string_view>

namespace bulkhead::api {

enum class JsonType : unsigned char { string, integer, boolean, array, object, any };

struct Field {
    std::string_view name;
    JsonType type = JsonType::string;
    bool required = false;
    bool immutable = false;  ///< `set` and `config.apply` may not change it on an existing object
    bool built_in = true;    ///< false: naming it with anything but `default_json` is refused with `not_built_in`
    std::string_view default_json;  ///< empty: no default, the field is absent
    std::string_view help;
    JsonType items = JsonType::string;  ///< array: the type of its elements
    bool bare_word = false;             ///< not required, but the command line takes it without its name, too
};

[[nodiscard]] std::span<const Field> config_fields();  ///< the top level: version, node, segments, …
[[nodiscard]] std::span<const Field> node_fields();
[[nodiscard]] std::span<const Field> idle_fields();
[[nodiscard]] std::span<const Field> role_fields();  ///< an entry of node.roles
[[nodiscard]] std::span<const Field> segment_fields();
[[nodiscard]] std::span<const Field> port_fields();   ///< every type's fields, and those of its untagged attachment
[[nodiscard]] std::span<const Field> limit_fields();  ///< a port's `limits`
[[nodiscard]] std::span<const Field> attachment_fields();  ///< an entry of a port's `vlans`
[[nodiscard]] std::span<const Field> fdb_fields();         ///< a static MAC entry
[[nodiscard]] std::span<const Field> underlay_fields();
[[nodiscard]] std::span<const Field> neighbor_fields();  ///< an entry of an underlay's `neighbors`
[[nodiscard]] std::span<const Field> tunnel_fields();
[[nodiscard]] std::span<const Field> group_fields();
[[nodiscard]] std::span<const Field> policy_fields();
[[nodiscard]] std::span<const Field> mirror_fields();
[[nodiscard]] std::span<const Field> flow_fields();        ///< `fields` of policy.explain
[[nodiscard]] std::span<const Field> policy_end_fields();  ///< `from` and `to` of a policy

}  // namespace bulkhead::api
