// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/roles.h"

#include <grp.h>

#include <spdlog/spdlog.h>

namespace bulkhead::daemon {

std::optional<gid_t> group_id(const std::string& name) {
    std::vector<char> text(16 * 1024);
    group entry{};
    group* found = nullptr;
    while (::getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found) == ERANGE) text.resize(2 * text.size());
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

std::vector<rpc::RoleGrant> role_grants(const config::Node& node) {
    std::vector<rpc::RoleGrant> grants;
    for (const config::RoleRule& rule : node.roles) {
        rpc::RoleGrant grant{.uid = rule.uid, .gid = {}, .role = rule.role, .tenant = rule.tenant};
        if (const auto* number = std::get_if<std::uint32_t>(&rule.group)) grant.gid = *number;
        if (const auto* name = std::get_if<std::string>(&rule.group)) {
            grant.gid = group_id(*name);
            if (!grant.gid) {
                spdlog::warn("node.roles: there is no group \"{}\"; nobody gets its role", *name);
                continue;
            }
        }
        grants.push_back(std::move(grant));
    }
    return grants;
}

}  // namespace bulkhead::daemon
