// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "vswitch/model/model.h"

namespace bulkhead {

/// The segments that could be part of a ring of nodes: those with a tunnel whose horizon is `spoke` and another way to
/// other nodes, be it a tunnel of any horizon or a NIC port. All others can't: what comes from a mesh never goes to one
/// (RFC 4762, section 10).
[[nodiscard]] std::set<std::string> guarded_segments(const Model& model);

}  // namespace bulkhead
