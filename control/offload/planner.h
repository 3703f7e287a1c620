// SPDX-License-Identifier: Apache-2.0
// Which rules the NICs should have, by what workers forward by. Pure.
//
// On the NIC of an underlay, for each tunnel and segment: outer addresses, UDP port and VNI → our queues, with the mark
// that saves the worker from looking these up (offload/flow_mark.h). Where every frame that the switch has a use for is
// of one of these, or no tunnel's at all, another rule drops what comes for other VNIs: not where a tunnel has
// keepalives, which come in a VNI of their own, and not where the node's kernel gets what is not for the switch.
#pragma once

#include <map>
#include <set>

#include "vswitch/model/snapshot.h"
#include "vswitch/offload/flow_rule.h"

namespace bulkhead {

class FlowDevice;

/// By device: those of open NICs under an underlay. Each is there, if with no rule.
using OffloadPlan = std::map<FlowDevice*, std::set<FlowRule>>;

[[nodiscard]] OffloadPlan plan_offload(const Snapshot& snapshot);

}  // namespace bulkhead
