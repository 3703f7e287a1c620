// SPDX-License-Identifier: Apache-2.0
// A change that must be confirmed: rolled back in time, and gone after a crash.
#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::seconds;

Model before() {
    return model_of(segment("blue", 1), guest("web", "blue"), guest("db", "blue"));
}
Model after() {
    return model_of(segment("blue", 1), segment("red", 2), guest("web", "red"), guest("new", "red"));
}

class ConfirmTest : public ::testing::Test {
  protected:
    ConfirmTest() {
        EXPECT_TRUE(world.engine.commit(before()));
        world.journal.clear();
        auto ok = world.engine.commit(after(), {.confirm_within = seconds(30)});
        EXPECT_TRUE(ok) << ok.error().message;
    }
    World world;
};

TEST_F(ConfirmTest, TheChangeIsInForceButNotOnTheDisk) {
    EXPECT_EQ(world.target.model, after());
    EXPECT_EQ(world.engine.generation(), 2U);
    EXPECT_EQ(world.disk.saved.model, before());
    EXPECT_EQ(world.target.ports.count("db"), 0U);
    EXPECT_EQ(world.count("release db"), 0U);  // it may be wanted again
}

TEST_F(ConfirmTest, ConfirmedItStays) {
    auto generation = world.engine.confirm();
    ASSERT_TRUE(generation);
    EXPECT_EQ(*generation, 2U);
    EXPECT_EQ(world.disk.saved.model, after());
    EXPECT_EQ(world.disk.saved.generation, 2U);
    EXPECT_EQ(world.count("release db"), 1U);
    world.pass(seconds(60));
    EXPECT_EQ(world.target.model, after());
    EXPECT_FALSE(world.engine.confirm());
}

TEST_F(ConfirmTest, NotConfirmedItIsRolledBack) {
    world.pass(milliseconds(29'900));
    EXPECT_EQ(world.target.model, after());
    world.journal.clear();
    world.pass(milliseconds(200));
    EXPECT_EQ(world.target.model, before());
    EXPECT_EQ(world.engine.configured(), before());
    EXPECT_EQ(world.engine.generation(), 3U);
    EXPECT_EQ(world.disk.saved.generation, 3U);
    EXPECT_EQ(world.disk.saved.model, before());
    EXPECT_EQ(world.journal, (Journal{"release new", "close new"}));  // db was kept open, so it is not opened again
    EXPECT_EQ(world.target.ports.count("db"), 1U);
    EXPECT_EQ(world.events.back().kind, "config.rolled_back");
    EXPECT_TRUE(world.engine.commit(after()));
}

TEST_F(ConfirmTest, ACrashInBetweenEndsInTheFormerModel) {
    World restarted;
    ASSERT_TRUE(restarted.engine.start({}, world.disk.saved));
    EXPECT_EQ(restarted.engine.configured(), before());
    EXPECT_GT(restarted.engine.generation(), world.engine.generation());
}

TEST_F(ConfirmTest, AnotherChangeIsNotReadyAndSaysForHowLong) {
    world.pass(seconds(10));
    auto changes = world.engine.commit(before());
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code, ErrorCode::not_ready);
    EXPECT_TRUE(changes.error().retryable);
    EXPECT_NE(changes.error().message.find("20 s"), std::string::npos) << changes.error().message;
    EXPECT_TRUE(world.engine.commit(before(), {.dry_run = true}));
}

TEST_F(ConfirmTest, WhatChangesNothingNeedNotWait) {
    auto changes = world.engine.commit(after());  // a client that lost its reply asks again
    ASSERT_TRUE(changes) << changes.error().message;
    EXPECT_TRUE(changes->changes.empty());
    EXPECT_EQ(world.engine.commit(before(), {.expect_generation = 1}).error().code, ErrorCode::conflict);
}

TEST_F(ConfirmTest, ACleanEndLeavesNothingOfIt) {
    world.journal.clear();
    world.engine.stop();
    EXPECT_EQ(world.journal, (Journal{"release new", "close new"}));
    EXPECT_EQ(world.target.model, before());
    world.engine.stop();
    EXPECT_EQ(world.engine.generation(), 3U);
}

TEST_F(ConfirmTest, AConfirmThatCanNotBeSavedIsNone) {
    world.disk.fails = true;
    EXPECT_FALSE(world.engine.confirm());
    world.disk.fails = false;
    world.pass(seconds(31));
    EXPECT_EQ(world.target.model, before());
}

TEST_F(ConfirmTest, ARollBackThatTheSwitchRefusesIsTriedAgain) {
    world.now += seconds(31);
    world.target.fail_next = 1;
    world.engine.tick();
    EXPECT_EQ(world.target.model, after());
    EXPECT_EQ(world.engine.generation(), 2U);
    world.pass(seconds(1));
    EXPECT_EQ(world.target.model, before());
    EXPECT_EQ(world.target.ports.count("db"), 1U);
    EXPECT_EQ(world.count("open db 1500"), 0U);
}

TEST(Confirm, NothingChangedLeavesNothingToConfirm) {
    World world;
    ASSERT_TRUE(world.engine.commit(before()));
    ASSERT_TRUE(world.engine.commit(before(), {.confirm_within = seconds(5)}));
    auto confirmed = world.engine.confirm();
    ASSERT_FALSE(confirmed);
    EXPECT_EQ(confirmed.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace bulkhead
