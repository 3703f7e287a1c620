// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/caller.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include "vswitch/base/system_failure.h"

namespace bulkhead::rpc {
namespace {

bool has_group(const Caller& caller, gid_t group) {
    return caller.gid == group || std::ranges::find(caller.groups, group) != caller.groups.end();
}

bool matches(const RoleGrant& grant, const Caller& caller) {
    if (!grant.uid && !grant.gid) return false;
    return (!grant.uid || *grant.uid == caller.uid) && (!grant.gid || has_group(caller, *grant.gid));
}

}  // namespace

Result<Caller> read_peer(int socket) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return system_failure("cannot read a caller's credentials", errno);
    }
    Caller caller;
    caller.pid = credentials.pid;
    caller.uid = credentials.uid;
    caller.gid = credentials.gid;

    // A buffer that is too small gets ERANGE and the length that is needed.
    caller.groups.resize(32);
    length = static_cast<socklen_t>(caller.groups.size() * sizeof(gid_t));
    int status = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &length);
    if (status != 0 && errno == ERANGE) {
        caller.groups.resize(length / sizeof(gid_t));
        status = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &length);
    }
    if (status != 0) return system_failure("cannot read a caller's groups", errno);
    caller.groups.resize(length / sizeof(gid_t));
    return caller;
}

Standing resolve_standing(const Caller& caller, std::span<const RoleGrant> grants, uid_t daemon_uid) {
    if (caller.uid == 0 || caller.uid == daemon_uid) return {.role = Role::admin, .tenant = {}};
    Standing best;
    for (const RoleGrant& grant : grants) {
        if (grant.role > best.role && matches(grant, caller)) best = {.role = grant.role, .tenant = grant.tenant};
    }
    return best;
}

std::string_view role_name(Role role) {
    switch (role) {
        case Role::none:
            return "none";
        case Role::tenant:
            return "tenant";
        case Role::viewer:
            return "viewer";
        case Role::operator_:
            return "operator";
        case Role::admin:
            return "admin";
    }
    return "none";
}

}  // namespace bulkhead::rpc
