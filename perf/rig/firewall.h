// SPDX-License-Identifier: Apache-2.0
// Rules as a firewall has them: ten, the last of which is about the traffic of flow_traffic.h.
#pragma once

#include <string>

#include "vswitch/model/model.h"

namespace bulkhead::rig {

/// The segment denies by default; all its ports are in one group, which may ask the services of each other's networks.
void add_firewall(Model& model, const std::string& segment);

}  // namespace bulkhead::rig
