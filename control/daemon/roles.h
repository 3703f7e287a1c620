// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "control/config/node.h"
#include "control/rpc/caller.h"

namespace bulkhead::daemon {

/// The number of a group, nothing when there is none of that name.
[[nodiscard]] std::optional<gid_t> group_id(const std::string& name);

/// `node.roles` with the names of groups looked up. One whose group is not there is left out, with a warning: it would
/// match nobody.
[[nodiscard]] std::vector<rpc::RoleGrant> role_grants(const config::Node& node);

}  // namespace bulkhead::daemon
