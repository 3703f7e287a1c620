// SPDX-License-Identifier: Apache-2.0
// The method table: one row a method. It yields the validation of parameters, rpc.discover (OpenRPC), bulkheadctl's
// subcommands and docs/api.md. Handlers are bound to rows by name in the daemon (control/methods/), so that the command
// line needs none of them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "control/api/fields.h"
#include "control/api/role.h"

namespace bulkhead::api {

struct Method {
    std::string_view name;      ///< "noun.verb"
    std::vector<Field> params;  ///< in the order the command line takes them
    RoleSet roles = kAdmins;
    bool built_in = true;      ///< false: answers `not_built_in`
    bool merge_patch = false;  ///< `set`: null is a value (RFC 7396), so types are checked only for what is not null
    std::string_view help;     ///< one line
    std::string_view result;   ///< shape of the result, one line
    std::string_view example;  ///< a command line, without the word bulkheadctl; empty: none
};

/// Every method of the API, sorted by name. Lives as long as the program.
[[nodiscard]] std::span<const Method> method_table();
[[nodiscard]] const Method* find_method(std::string_view name);

}  // namespace bulkhead::api
