// SPDX-License-Identifier: Apache-2.0
// What a caller may see and change beyond what the method's row says. A tenant sees the segments of its own tenant and
// the ports all of whose attachments are in them; the rest does not exist for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/node.h"
#include "control/rpc/caller.h"
#include "control/state/change.h"
#include "control/state/engine.h"
#include "vswitch/base/result.h"

namespace bulkhead::methods {

[[nodiscard]] bool is_tenant(const rpc::Caller& caller);
/// Whose an object is that this caller adds without saying so: a tenant's own, so that a config.apply for nobody in
/// particular does not take it away.
[[nodiscard]] std::string owner_of_new(const rpc::Caller& caller);
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Segment& segment);
[[nodiscard]] inline bool may_see(const rpc::Caller& caller, const Model& /*model*/, const Segment& segment) {
    return may_see(caller, segment);
}
[[nodiscard]] bool may_see_segment(const rpc::Caller& caller, const Model& model, const std::string& name);
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Model& model, const Port& port);
/// What leads to other nodes is no tenant's.
[[nodiscard]] inline bool may_see(const rpc::Caller& caller, const Model& /*model*/, const Underlay& /*underlay*/) {
    return !is_tenant(caller);
}
[[nodiscard]] inline bool may_see(const rpc::Caller& caller, const Model& /*model*/, const Tunnel& /*tunnel*/) {
    return !is_tenant(caller);
}
[[nodiscard]] bool may_see_tunnel(const rpc::Caller& caller, const Model& model, const std::string& name);
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Model& model, const StaticMac& entry);
[[nodiscard]] inline bool may_see(const rpc::Caller& caller, const Model& model, const Group& group) {
    return !is_tenant(caller) || may_see_segment(caller, model, group.segment);
}
/// A rule that leads to a port of somebody else's is somebody else's, too.
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Model& model, const Policy& policy);
/// Both ends must be the tenant's own; what goes through a tunnel leaves its sight.
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Model& model, const Mirror& mirror);
[[nodiscard]] bool may_see_port(const rpc::Caller& caller, const Model& model, const std::string& name);
[[nodiscard]] bool may_see(const rpc::Caller& caller, const Model& model, const EngineEvent& event);

/// Whether this caller may make these changes. The Error names the object.
[[nodiscard]] Result<> check_authority(const rpc::Caller& caller, const config::Node& node, const Model& before,
                                       const Model& after, const std::vector<Change>& changes);

[[nodiscard]] Error no_such(std::string_view kind, std::string_view name, std::string field);

}  // namespace bulkhead::methods
