// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/caller.h"

#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::rpc {
namespace {

constexpr uid_t kDaemon = 900;

Caller person(uid_t uid, gid_t gid, std::vector<gid_t> groups = {}) {
    Caller caller;
    caller.uid = uid;
    caller.gid = gid;
    caller.groups = std::move(groups);
    return caller;
}

RoleGrant to_uid(std::uint32_t uid, Role role, std::string tenant = {}) {
    return {.uid = uid, .gid = {}, .role = role, .tenant = std::move(tenant)};
}
RoleGrant to_gid(std::uint32_t gid, Role role, std::string tenant = {}) {
    return {.uid = {}, .gid = gid, .role = role, .tenant = std::move(tenant)};
}

Role role_of(const Caller& caller, const std::vector<RoleGrant>& grants) {
    return resolve_standing(caller, grants, kDaemon).role;
}

TEST(Caller, ReadsThePeerOfASocket) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const UniqueFd near(ends[0]), far(ends[1]);
    const auto caller = read_peer(near.get());
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->pid, ::getpid());
    EXPECT_EQ(caller->uid, ::geteuid());
    EXPECT_EQ(caller->gid, ::getegid());
    std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
    ASSERT_GE(::getgroups(static_cast<int>(groups.size()), groups.data()), 0);
    EXPECT_EQ(caller->groups, groups);
    EXPECT_EQ(caller->role, Role::none);
}

TEST(Caller, IsRefusedWhereThereIsNoPeer) {
    EXPECT_FALSE(read_peer(-1));
}

TEST(Caller, RootAndTheDaemonItselfAreAdmin) {
    EXPECT_EQ(role_of(person(0, 0), {}), Role::admin);
    EXPECT_EQ(role_of(person(kDaemon, 5), {to_uid(kDaemon, Role::viewer)}), Role::admin);
}

TEST(Caller, WithoutAMatchThereIsNoRole) {
    EXPECT_EQ(role_of(person(7, 7), {}), Role::none);
    EXPECT_EQ(role_of(person(7, 7), {to_uid(8, Role::admin), to_gid(8, Role::admin)}), Role::none);
    EXPECT_EQ(role_of(person(7, 7), {RoleGrant{.uid = {}, .gid = {}, .role = Role::admin, .tenant = {}}}), Role::none);
}

TEST(Caller, PrimaryAndSupplementaryGroupsCount) {
    EXPECT_EQ(role_of(person(7, 50), {to_gid(50, Role::operator_)}), Role::operator_);
    EXPECT_EQ(role_of(person(7, 7, {49, 50}), {to_gid(50, Role::operator_)}), Role::operator_);
    // gid 0 is a group like others: only uid 0 is admin by itself.
    EXPECT_EQ(role_of(person(7, 0, {0}), {}), Role::none);
}

TEST(Caller, AGrantWithBothIdsWantsBoth) {
    const std::vector<RoleGrant> grants = {{.uid = 7, .gid = 50, .role = Role::viewer, .tenant = {}}};
    EXPECT_EQ(role_of(person(7, 50), grants), Role::viewer);
    EXPECT_EQ(role_of(person(7, 51), grants), Role::none);
    EXPECT_EQ(role_of(person(8, 50), grants), Role::none);
}

TEST(Caller, TheHighestRoleWinsInAnyOrder) {
    EXPECT_EQ(role_of(person(7, 7), {to_uid(7, Role::viewer), to_gid(7, Role::operator_)}), Role::operator_);
    EXPECT_EQ(role_of(person(7, 7), {to_gid(7, Role::operator_), to_uid(7, Role::viewer)}), Role::operator_);
    EXPECT_EQ(role_of(person(7, 7), {to_uid(7, Role::tenant, "acme"), to_uid(7, Role::viewer)}), Role::viewer);
}

TEST(Caller, ATenantIsTheFirstThatMatches) {
    const std::vector<RoleGrant> grants = {to_gid(7, Role::tenant, "acme"), to_uid(7, Role::tenant, "globex")};
    EXPECT_EQ(resolve_standing(person(7, 7), grants, kDaemon), (Standing{.role = Role::tenant, .tenant = "acme"}));
}

}  // namespace
}  // namespace bulkhead::rpc
