// SPDX-License-Identifier: Apache-2.0
// All frames that may go from one attachment to another, cut into atoms: within an atom every rule, written or
// installed, that could decide gives one answer, so one frame stands for all of it.
//
// Fields are cut one after the other, and only where the rules that are still left can tell values apart: an atom is
// done as soon as, on both sides, the first rule left matches whatever the other fields are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vswitch/model/model.h"
#include "vswitch/verify/axis.h"
#include "vswitch/verify/segment_rules.h"

namespace bulkhead {

struct Atom {
    std::vector<std::uint16_t> kinds;  ///< SegmentRules::kinds, ascending
    std::array<Cells, kSlots> cells;   ///< by Slot
    bool operator==(const Atom&) const = default;
};

/// What a pair of attachments is to rules.
struct PairEnds {
    const Attachment& from;  ///< as it was meant
    const Attachment& to;
    GroupClass from_class = kNoGroup;  ///< as it is installed
    GroupClass to_class = kNoGroup;
};

class FlowSpace {
  public:
    FlowSpace(const SegmentRules& rules, const PairEnds& ends);

    /// One frame of an atom, and the written rules that its other frames could meet, too.
    struct Sample {
        std::uint16_t kind = 0;
        FlowFields fields;
        std::vector<const Policy*> rules;
    };
    /// Calls `take` for every atom. False: there are more than `most`, or finding them takes too long, and it has ended
    /// on the way.
    using Take = std::function<void(const Atom&, const Sample&)>;
    [[nodiscard]] bool for_each_atom(std::size_t most, const Take& take);

    [[nodiscard]] const Axis& axis(Slot slot) const { return axes_[index_of(slot)]; }
    [[nodiscard]] Cells main_cells(Slot slot) const;
    /// What for_each_atom() has cost, in atoms.
    [[nodiscard]] std::size_t cost() const { return atoms_ + steps_ / kStepsOfAtom; }

  private:
    static constexpr std::size_t kStepsOfAtom = 500;  ///< words of marks that are as much work as an atom
    using Views = std::array<const AxisView*, kSlots>;

    /// A part of the space that is whole in each of its fields.
    struct Part {
        std::function<bool(const FrameKind&)> takes;
        Views views;
    };
    struct Search {
        std::vector<Slot> slots;
        const Views& views;
        std::vector<BothMarks> rest;  ///< by slot of `slots`: rules that all values of it and of those behind satisfy
        const Take& take;
        std::size_t most;
        Atom atom;
    };

    void choose_rules();
    void build_axes();
    [[nodiscard]] AxisDomain domain_of(Slot slot) const;
    [[nodiscard]] std::vector<ValueRange> written_ranges(const Policy& rule, Slot slot) const;
    [[nodiscard]] Axis mac_axis(Slot slot) const;
    [[nodiscard]] Marks installed_marks(const std::uint64_t* bits) const;
    [[nodiscard]] BothMarks marks_of(const SegmentRules::KindClass& kinds) const;
    [[nodiscard]] const AxisView* view(Slot slot, const std::function<bool(const Axis::Cell&)>& takes);
    [[nodiscard]] std::vector<Part> parts();
    void add_parts_without_address(std::vector<Part>& parts, const Views& main);
    [[nodiscard]] bool search_part(const Part& part, std::size_t most, const Take& take);
    [[nodiscard]] bool search(Search& search, std::size_t depth, const BothMarks& left);
    void take_atom(const Search& search, const BothMarks& left);
    [[nodiscard]] FlowFields sample_of(const Search& search, std::uint16_t kind) const;

    const SegmentRules& rules_;
    PairEnds ends_;
    std::vector<std::uint16_t> written_, installed_;  ///< those that can match by their groups
    std::array<Axis, kSlots> axes_;
    std::vector<std::unique_ptr<AxisView>> views_;
    std::size_t atoms_ = 0, steps_ = 0;
};

}  // namespace bulkhead
