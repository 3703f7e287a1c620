// SPDX-License-Identifier: Apache-2.0
// A segment's groups by their numbers, which is how tunnels name them. Asked for each frame of a tunnel that is
// trusted: two steps of one octet.
//
// Threads: built by control, then immutable; part of the snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/policy/flow_ends.h"

namespace bulkhead {

class GroupClasses {
  public:
    void add(GroupId id, GroupClass group) {
        std::uint16_t& page = page_of_[id >> 8];
        if (page == kEmpty) {
            page = static_cast<std::uint16_t>(pages_.size());
            pages_.emplace_back();  // of no group
        }
        pages_[page][id & 0xff] = group;
    }

    /// kNoGroup if there is no group of that number.
    [[nodiscard]] GroupClass find(GroupId id) const noexcept { return pages_[page_of_[id >> 8]][id & 0xff]; }

  private:
    static constexpr std::uint16_t kEmpty = 0;
    using Page = std::array<GroupClass, 256>;
    static_assert(kNoGroup == 0);

    std::array<std::uint16_t, 256> page_of_{};
    std::vector<Page> pages_{1};  ///< the first is for all numbers that no page is for
};

}  // namespace bulkhead
