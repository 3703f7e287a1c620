// SPDX-License-Identifier: Apache-2.0
// One field of a frame, cut into cells: within a cell, every rule gives one answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "vswitch/policy/rule_cells.h"
#include "vswitch/verify/marks.h"

namespace bulkhead {

/// Both included.
struct ValueRange {
    FieldValue first = 0, last = 0;
};

/// What an axis is about.
struct AxisDomain {
    struct Region {
        ValueRange range;
        bool is_main = true;  ///< false: only in some frames, see Axis::Cell
    };
    std::vector<Region> regions;    ///< ascending and apart from each other
    std::vector<FieldValue> liked;  ///< taken for samples, where there is a choice
    std::vector<FieldValue> edges;  ///< further values at which to cut
};

/// Where written rules look: of each the values, none if it does not ask.
using WrittenRanges = std::vector<std::vector<ValueRange>>;

class Axis {
  public:
    struct Cell {
        ValueRange range;
        FieldValue sample = 0;
        bool is_main = true;     ///< false: such as the address of who has none yet
        bool is_others = false;  ///< of MACs: all that are not cells themselves
    };

    /// Nothing is asked, and nothing is to choose from but one sample.
    Axis() = default;
    Axis(const WrittenRanges& written, const std::vector<RuleCells::Piece>& installed,
         const std::function<Marks(const std::uint64_t*)>& marks_of, std::size_t installed_rules,
         const AxisDomain& domain);

    void add(const Cell& cell, BothMarks marks) {
        cells_.push_back(cell);
        marks_.push_back(std::move(marks));
    }

    [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }
    [[nodiscard]] const BothMarks& marks(std::size_t cell) const { return marks_[cell]; }

  private:
    std::vector<Cell> cells_;
    std::vector<BothMarks> marks_;
};

/// Cells of an axis, ascending; none: all main ones.
using Cells = std::vector<std::uint32_t>;

/// Those of an axis that some frames can have, those of the same rules together.
struct AxisView {
    struct Class {
        BothMarks marks;
        Cells cells;
    };

    AxisView(const Axis& of, const std::function<bool(const Axis::Cell&)>& takes);

    /// As a choice: none if these are all main cells.
    [[nodiscard]] Cells normal(Cells cells) const;

    const Axis& axis;
    std::vector<Class> classes;
    BothMarks indifferent;  ///< rules that all of its cells satisfy
    Cells all;              ///< normal
    Cells main;             ///< all main ones of the axis
};

}  // namespace bulkhead
