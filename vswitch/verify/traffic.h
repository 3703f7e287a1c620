// SPDX-License-Identifier: Apache-2.0
// Atoms of one verdict, put together again and said in the words of rules.
#pragma once

#include <vector>

#include "vswitch/verify/flow_space.h"
#include "vswitch/verify/verification.h"

namespace bulkhead {

/// The same frames in fewer atoms.
[[nodiscard]] std::vector<Atom> merged(std::vector<Atom> atoms, const FlowSpace& space);

/// Leaves out what the others say too, but for the address of who has none yet.
void leave_out_addressless(std::vector<Atom>& atoms, const FlowSpace& space);

/// Where all that opens is among an atom's kinds, what is stray goes without saying.
[[nodiscard]] std::vector<Traffic> traffic_of(const std::vector<Atom>& atoms, const FlowSpace& space,
                                              const SegmentRules& rules);

}  // namespace bulkhead
