// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/shares.h"

#include <gtest/gtest.h>

namespace bulkhead::rpc {
namespace {

constexpr uid_t kRoot = 0, kDaemon = 100, kAlice = 1000, kBob = 1001;

TEST(Shares, NobodyTakesMoreThanAQuarter) {
    Shares shares(80, kDaemon);
    EXPECT_TRUE(shares.has_room(kAlice, 20));
    EXPECT_FALSE(shares.has_room(kAlice, 21));
    shares.take(kAlice, 20);
    EXPECT_FALSE(shares.has_room(kAlice, 1));
    EXPECT_TRUE(shares.has_room(kBob, 20));
    shares.give_back(kAlice, 5);
    EXPECT_TRUE(shares.has_room(kAlice, 5));
    EXPECT_EQ(shares.most(kAlice), 20U);
}

TEST(Shares, AnEighthIsLeftToTheAdministrator) {
    Shares shares(80, kDaemon);
    for (uid_t user = 1; user <= 7; ++user) shares.take(user, 10);
    EXPECT_FALSE(shares.has_room(kBob, 1));
    for (const uid_t admin : {kRoot, kDaemon}) {
        EXPECT_TRUE(shares.has_room(admin, 10));
        EXPECT_FALSE(shares.has_room(admin, 11));
    }
    EXPECT_EQ(shares.most(kRoot), 80U);
}

}  // namespace
}  // namespace bulkhead::rpc
