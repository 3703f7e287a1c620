// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/cli/table.h"

namespace bulkhead::cli {

/// One column of a list for people: where it is in an item, or how it is made from it.
struct ListColumn {
    std::string_view title;
    const char* pointer = "";                            ///< JSON pointer into the item
    Cell (*make)(const nlohmann::json& item) = nullptr;  ///< instead of the pointer
};

/// The columns worth seeing of a list method; empty where nobody has chosen: then each plain field is one.
[[nodiscard]] std::span<const ListColumn> list_columns(std::string_view method);

[[nodiscard]] Cell cell_of(const ListColumn& column, const nlohmann::json& item);

/// `12 (tx_queue_full 10, link_down 2)` of `{"tx_queue_full": 10, "link_down": 2}`, the most frequent first.
[[nodiscard]] Cell drops_cell(const nlohmann::json& drops);

}  // namespace bulkhead::cli
