// SPDX-License-Identifier: Apache-2.0
// How the rows of the method table are written down: one function a group of nouns, and the few words they share.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "control/api/methods.h"

namespace bulkhead::api {

using Methods = std::vector<Method>;

void append_system_methods(Methods& table);      ///< system, rpc, config, events
void append_segment_methods(Methods& table);     ///< segment, fdb
void append_port_methods(Methods& table);        ///< port
void append_statistics_methods(Methods& table);  ///< stats, drop
void append_fabric_methods(Methods& table);      ///< underlay, tunnel, offload
void append_policy_methods(Methods& table);      ///< group, policy, connection; capture, …: not built in yet
void append_mirror_methods(Methods& table);      ///< mirror

constexpr Field required(std::string_view name, JsonType type, std::string_view help) {
    return {.name = name, .type = type, .required = true, .default_json = {}, .help = help};
}

constexpr Field optional(std::string_view name, JsonType type, std::string_view help,
                         std::string_view default_json = {}) {
    return {.name = name, .type = type, .default_json = default_json, .help = help};
}

/// The parameters of `add`: the object's own fields.
[[nodiscard]] std::vector<Field> all_of(std::span<const Field> fields);
/// The parameters of `set`: the same, none required but `name`, and no defaults since what is absent stays as it is.
[[nodiscard]] std::vector<Field> patch_of(std::span<const Field> fields);
/// The parameters of `list`: filters, then where to go on and how far.
[[nodiscard]] std::vector<Field> page_of(std::initializer_list<Field> filters);

/// A row that is only a promise yet: it has its place in help and documentation, and calling it answers `not_built_in`.
void append_planned(Methods& table, std::string_view name, std::vector<Field> params, RoleSet roles,
                    std::string_view help, std::string_view result);

}  // namespace bulkhead::api
