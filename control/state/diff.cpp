// SPDX-License-Identifier: Apache-2.0
#include "control/state/change.h"

namespace bulkhead {
namespace {

// Both maps are sorted: one walk over the two side by side.
template <typename Map>
void diff_maps(const Map& before, const Map& after, std::vector<Change>& changes) {
    auto was = before.begin();
    auto is = after.begin();
    while (was != before.end() || is != after.end()) {
        if (is == after.end() || (was != before.end() && was->first < is->first)) {
            changes.push_back({ChangeOp::remove, key_of(was->second)});
            ++was;
        } else if (was == before.end() || is->first < was->first) {
            changes.push_back({ChangeOp::add, key_of(is->second)});
            ++is;
        } else {
            if (!(was->second == is->second)) changes.push_back({ChangeOp::set, key_of(is->second)});
            ++was;
            ++is;
        }
    }
}

}  // namespace

std::vector<Change> diff(const Model& before, const Model& after) {
    std::vector<Change> changes;
    diff_maps(before.segments, after.segments, changes);
    diff_maps(before.groups, after.groups, changes);
    diff_maps(before.ports, after.ports, changes);
    diff_maps(before.underlays, after.underlays, changes);
    diff_maps(before.tunnels, after.tunnels, changes);
    diff_maps(before.static_macs, after.static_macs, changes);
    diff_maps(before.policies, after.policies, changes);
    diff_maps(before.mirrors, after.mirrors, changes);
    return changes;
}

}  // namespace bulkhead
