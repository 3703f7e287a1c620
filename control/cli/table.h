// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/cli/text.h"

namespace bulkhead::cli {

struct Cell {
    std::string text;
    bool is_number = false;  ///< stands to the right
};

/// A JSON value as a cell: one_line(), a number if it is one.
[[nodiscard]] Cell cell_of(const nlohmann::json& value);

/// Aligned columns, two spaces apart, under their titles. On a narrow screen the widest texts are cut first (numbers
/// and the first column last of all), then columns at the right end are left out.
class Table {
  public:
    explicit Table(std::vector<std::string> titles);

    void add(std::vector<Cell> row);  ///< as many cells as titles
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::string text(const Screen& screen) const;  ///< ends in a newline

  private:
    [[nodiscard]] std::vector<std::size_t> widths_for(std::size_t screen_width) const;
    [[nodiscard]] bool is_numeric(std::size_t column) const;

    std::vector<std::string> titles_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace bulkhead::cli
