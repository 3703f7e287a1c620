// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "control/config/node.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead::methods {

/// Whether a caller below admin may have this port: its namespace in one of netns_roots, its socket in one of
/// vhost_roots and named without symbolic links.
[[nodiscard]] Result<> check_paths(const config::Node& node, const Port& port);

/// Whether a path leads into one of the folders once every symbolic link on the way and `..` are resolved. The path
/// itself need not exist; a dangling link is outside, since it can come to lead anywhere.
[[nodiscard]] bool is_inside(const std::filesystem::path& path, const std::vector<std::string>& roots);

}  // namespace bulkhead::methods
