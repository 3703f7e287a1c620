// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

/// Adds the underlays and the tunnels to a snapshot that has its segments and ports. Every object has its index.
void add_tunnels(Snapshot& snapshot, const Model& model, const Indices& indices);

}  // namespace bulkhead
