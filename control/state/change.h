// SPDX-License-Identifier: Apache-2.0
// What a transaction changes: the difference of two models, object by object.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "control/state/object_key.h"
#include "vswitch/model/model.h"

namespace bulkhead {

enum class ChangeOp : std::uint8_t { add, set, remove };

[[nodiscard]] constexpr std::string_view to_string(ChangeOp op) {
    constexpr std::string_view kNames[] = {"add", "set", "remove"};
    return kNames[static_cast<std::size_t>(op)];
}

struct Change {
    ChangeOp op = ChangeOp::add;
    ObjectKey object;
    bool operator==(const Change&) const = default;
};

struct ChangeSet {
    std::uint64_t generation = 0;  ///< after the changes; with dry_run, and when there are none, that before
    std::vector<Change> changes;
    bool dry_run = false;
};

/// Segments, then groups, ports, underlays, tunnels, fdb entries, policies and mirrors, each by name. Linear in the
/// size of the two.
[[nodiscard]] std::vector<Change> diff(const Model& before, const Model& after);

}  // namespace bulkhead
