// SPDX-License-Identifier: Apache-2.0
#include "control/cli/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bulkhead::cli {
namespace {

constexpr std::size_t kGap = 2, kNarrowest = 8;

std::size_t total(const std::vector<std::size_t>& widths) {
    const std::size_t gaps = widths.empty() ? 0 : kGap * (widths.size() - 1);
    return std::accumulate(widths.begin(), widths.end(), gaps);
}

void append_padded(std::string& line, const std::string& text, std::size_t width, bool to_the_right) {
    const std::string shown = shortened(text, width);
    const std::string pad(width - display_width(shown), ' ');
    if (!line.empty()) line.append(kGap, ' ');
    line += to_the_right ? pad + shown : shown + pad;
}

std::string without_trailing_spaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

Cell cell_of(const nlohmann::json& value) {
    return {one_line(value), value.is_number()};
}

Table::Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

void Table::add(std::vector<Cell> row) {
    rows_.push_back(std::move(row));
}

bool Table::is_numeric(std::size_t column) const {
    return std::ranges::any_of(rows_, [=](const auto& row) { return row[column].is_number; });
}

std::vector<std::size_t> Table::widths_for(std::size_t screen_width) const {
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < titles_.size(); ++column) {
        widths.push_back(display_width(titles_[column]));
        for (const auto& row : rows_) widths[column] = std::max(widths[column], display_width(row[column].text));
    }
    if (screen_width == 0) return widths;
    while (total(widths) > screen_width) {
        std::size_t widest = 0;  // the first column names the row: it is cut when nothing else is left
        for (std::size_t column = 1; column < widths.size(); ++column)
            if (!is_numeric(column) && widths[column] > kNarrowest && (widest == 0 || widths[column] > widths[widest]))
                widest = column;
        if (widest != 0) {
            const std::size_t excess = total(widths) - screen_width;
            widths[widest] -= std::min(excess, widths[widest] - kNarrowest);
        } else if (widths.size() > 1) {
            widths.pop_back();
        } else {
            widths.front() = screen_width;
        }
    }
    return widths;
}

std::string Table::text(const Screen& screen) const {
    const auto widths = widths_for(screen.width);
    std::string heading;
    for (std::size_t column = 0; column < widths.size(); ++column)
        append_padded(heading, titles_[column], widths[column], is_numeric(column));
    heading = without_trailing_spaces(std::move(heading));
    std::string text = screen.colour ? "\033[1m" + heading + "\033[0m\n" : heading + "\n";
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t column = 0; column < widths.size(); ++column)
            append_padded(line, row[column].text, widths[column], is_numeric(column));
        text += without_trailing_spaces(std::move(line)) + "\n";
    }
    return text;
}

}  // namespace bulkhead::cli
