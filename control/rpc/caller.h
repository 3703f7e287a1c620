// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a control socket, and what that lets them do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "control/api/role.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

/// The peer of one connection as it was when it connected (unix(7)): what it becomes later changes nothing.
struct Caller {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  ///< supplementary groups: SO_PEERCRED alone carries only the primary one
    Role role = Role::none;
    std::string tenant;            ///< for Role::tenant
    std::uint64_t connection = 0;  ///< never used twice while the daemon runs
};

/// An entry of `node.roles`, group names resolved. An entry with both ids matches callers who have both; one with
/// neither matches nobody.
struct RoleGrant {
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;  ///< primary or supplementary
    Role role = Role::none;
    std::string tenant;
};

/// Reads SO_PEERCRED and SO_PEERGROUPS; role, tenant and connection are left as they are.
[[nodiscard]] Result<Caller> read_peer(int socket);

struct Standing {
    Role role = Role::none;
    std::string tenant;

    bool operator==(const Standing&) const = default;
};

/// uid 0 and the daemon's own uid are admin. Else the highest role that a grant gives (of equals the first, with its
/// tenant); no match is Role::none, which every method but those for anyone denies.
[[nodiscard]] Standing resolve_standing(const Caller& caller, std::span<const RoleGrant> grants, uid_t daemon_uid);

[[nodiscard]] std::string_view role_name(Role role);  ///< "admin", …, as in `node.roles`

}  // namespace bulkhead::rpc
