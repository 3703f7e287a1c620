// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/axis.h"

#include <algorithm>
#include <map>

namespace bulkhead {
namespace {

/// The values at which anything changes, ascending, those within the regions alone.
std::vector<FieldValue> edges_of(const WrittenRanges& written, const std::vector<RuleCells::Piece>& pieces,
                                 const std::vector<Marks>& piece_marks, const AxisDomain& domain) {
    std::vector<FieldValue> edges = domain.edges;
    for (const auto& ranges : written) {
        for (const ValueRange& range : ranges) {
            edges.push_back(range.first);
            edges.push_back(range.last + 1);  // beyond the greatest value it is 0: no harm
        }
    }
    for (std::size_t at = 1; at < pieces.size(); ++at)
        if (piece_marks[at] != piece_marks[at - 1]) edges.push_back(pieces[at].first);
    std::ranges::sort(edges);
    const auto repeated = std::ranges::unique(edges);
    edges.erase(repeated.begin(), repeated.end());
    return edges;
}

FieldValue sample_of(const ValueRange& range, const std::vector<FieldValue>& liked) {
    for (const FieldValue value : liked)
        if (range.first <= value && value <= range.last) return value;
    return range.first;
}

}  // namespace

Axis::Axis(const WrittenRanges& written, const std::vector<RuleCells::Piece>& installed,
           const std::function<Marks(const std::uint64_t*)>& marks_of, std::size_t installed_rules,
           const AxisDomain& domain) {
    std::vector<Marks> piece_marks;
    for (const RuleCells::Piece& piece : installed) piece_marks.push_back(marks_of(piece.rules));
    const std::vector<FieldValue> edges = edges_of(written, installed, piece_marks, domain);
    for (const AxisDomain::Region& region : domain.regions) {
        FieldValue first = region.range.first;
        for (auto edge = std::ranges::upper_bound(edges, first); edge != edges.end() && *edge <= region.range.last;
             ++edge) {
            cells_.push_back({.range = {first, *edge - 1}, .is_main = region.is_main});
            first = *edge;
        }
        cells_.push_back({.range = {first, region.range.last}, .is_main = region.is_main});
    }

    Marks indifferent = no_marks(written.size()), all_installed = no_marks(installed_rules);
    for (std::size_t rule = 0; rule < written.size(); ++rule)
        if (written[rule].empty()) mark(indifferent, rule);
    for (std::size_t rule = 0; rule < installed_rules; ++rule) mark(all_installed, rule);
    for (Cell& cell : cells_) {
        cell.sample = sample_of(cell.range, domain.liked);
        BothMarks marks{indifferent, all_installed};
        if (!installed.empty()) {
            const auto behind = std::ranges::upper_bound(installed, cell.range.first, {}, &RuleCells::Piece::first);
            marks.installed = piece_marks[static_cast<std::size_t>(behind - installed.begin()) - 1];
        }
        marks_.push_back(std::move(marks));
    }
    for (std::size_t rule = 0; rule < written.size(); ++rule) {
        for (const ValueRange& range : written[rule]) {
            const auto first =
                std::ranges::lower_bound(cells_, range.first, {}, [](const Cell& cell) { return cell.range.last; });
            for (auto cell = first; cell != cells_.end() && cell->range.first <= range.last; ++cell)
                mark(marks_[static_cast<std::size_t>(cell - cells_.begin())].written, rule);
        }
    }
}

AxisView::AxisView(const Axis& of, const std::function<bool(const Axis::Cell&)>& takes) : axis(of) {
    std::map<BothMarks, Cells> by_marks;
    Cells taken;
    for (std::uint32_t at = 0; at < axis.cells().size(); ++at) {
        if (axis.cells()[at].is_main) main.push_back(at);
        if (!takes(axis.cells()[at])) continue;
        taken.push_back(at);
        by_marks[axis.marks(at)].push_back(at);
    }
    for (auto& [marks, cells] : by_marks) {
        indifferent = classes.empty() ? marks : common(indifferent, marks);
        classes.push_back({marks, std::move(cells)});
    }
    all = normal(std::move(taken));
}

Cells AxisView::normal(Cells cells) const {
    std::ranges::sort(cells);
    return cells == main ? Cells() : cells;
}

}  // namespace bulkhead
