// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "vswitch/base/result.h"
#include "vswitch/limits/port_limiter.h"
#include "vswitch/mirror/mirror_compiler.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/model/queue_plan.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/policy/policy_compiler.h"

namespace bulkhead {

/// Compiles a valid model. Every object of the model gets its index; those in `ports` are open and carry traffic.
/// `policies` and `mirrors` keep what need not be compiled anew next time, `limiters` what must not.
[[nodiscard]] Result<std::unique_ptr<Snapshot>> build_snapshot(const Model& model,
                                                               const std::map<std::string, PortIo*>& ports,
                                                               const QueuePlan& plan, std::uint16_t workers,
                                                               Indices& indices, PolicyCompiler& policies,
                                                               PortLimiters& limiters, MirrorCompiler& mirrors);

}  // namespace bulkhead
