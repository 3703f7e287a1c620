// SPDX-License-Identifier: Apache-2.0
#include "control/api/methods.h"

#include <algorithm>

#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

Methods build_table() {
    Methods table;
    append_system_methods(table);
    append_segment_methods(table);
    append_port_methods(table);
    append_statistics_methods(table);
    append_fabric_methods(table);
    append_policy_methods(table);
    std::ranges::sort(table, {}, &Method::name);
    return table;
}

}  // namespace

std::span<const Method> method_table() {
    static const Methods table = build_table();
    return table;
}

const Method* find_method(std::string_view name) {
    const auto table = method_table();
    const auto row = std::ranges::lower_bound(table, name, {}, &Method::name);
    return row != table.end() && row->name == name ? &*row : nullptr;
}

}  // namespace bulkhead::api
