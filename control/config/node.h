// SPDX-License-Identifier: Apache-2.0
// What is fixed when the daemon starts: the `node` object of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/api/role.h"
#include "control/config/enum_names.h"
#include "vswitch/base/result.h"
#include "vswitch/switch.h"

namespace bulkhead::config {

/// An entry of `node.roles`. Exactly one of uid and group is set.
struct RoleRule {
    std::optional<std::uint32_t> uid;
    std::variant<std::monostate, std::uint32_t, std::string> group;  ///< a name is looked up when the daemon starts
    Role role = Role::viewer;
    std::string tenant;  ///< with Role::tenant, and only then
    bool operator==(const RoleRule&) const = default;
};

struct Node {
    std::string name;         ///< empty: the host name
    std::string cores = "1";  ///< a CPU list as in cpuset(7); which of them exist is the daemon's question
    std::uint32_t memory_mib = 512;
    Hugepages hugepages = Hugepages::automatic;
    std::vector<std::string> eal_args;
    IdleMode idle_mode = IdleMode::adaptive;
    std::uint32_t max_sleep_us = 1000;
    std::vector<RoleRule> roles;
    std::vector<std::string> netns_roots = {"/run/netns", "/var/run/netns"};
    std::vector<std::string> vhost_roots = {"/run/bulkhead/vhost"};
    bool operator==(const Node&) const = default;
};

[[nodiscard]] Result<Node> decode_node(const nlohmann::json& object);
[[nodiscard]] nlohmann::json encode(const Node& node);

}  // namespace bulkhead::config
