// SPDX-License-Identifier: Apache-2.0
// A transaction takes effect whole or not at all, whatever fails on the way.
#include "control/state/engine.h"

#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

Model base() {
    return model_of(segment("blue", 1), segment("red", 2), guest("web", "blue"), guest("db", "red"));
}

class EngineTest : public ::testing::Test {
  protected:
    EngineTest() {
        auto ok = world.engine.commit(base());
        EXPECT_TRUE(ok) << ok.error().message;
        world.journal.clear();
        world.events.clear();
    }
    // Nothing of a refused change may be seen anywhere.
    void expect_untouched() {
        EXPECT_EQ(world.engine.configured(), base());
        EXPECT_EQ(world.engine.generation(), 1U);
        EXPECT_EQ(world.target.model, base());
        EXPECT_EQ(world.disk.saved.model, base());
        EXPECT_EQ(world.disk.saved.generation, 1U);
        EXPECT_EQ(world.target.ports.size(), 2U);
        EXPECT_TRUE(world.events.empty());
        for (const char* name : {"web", "db"}) {
            EXPECT_EQ(world.engine.port_condition(name).status, PortCondition::Status::up);
        }
    }
    World world;
};

TEST_F(EngineTest, PutsAChangeInForce) {
    Model next = base();
    put(next, guest("new", "blue"));
    next.ports.erase("db");
    auto changes = world.engine.commit(next);
    ASSERT_TRUE(changes) << changes.error().message;
    EXPECT_EQ(changes->generation, 2U);
    EXPECT_EQ(changes->changes, (std::vector<Change>{{ChangeOp::remove, {ObjectKind::port, "db"}},
                                                     {ChangeOp::add, {ObjectKind::port, "new"}}}));
    EXPECT_EQ(world.journal, (Journal{"open new 1500", "release db", "close db"}));
    EXPECT_EQ(world.disk.saved.model, next);
    EXPECT_EQ(world.target.model, next);
    EXPECT_EQ(world.target.ports.count("new"), 1U);
    EXPECT_EQ(world.target.ports.count("db"), 0U);
    ASSERT_EQ(world.events.size(), 1U);
    EXPECT_EQ(world.events[0].kind, "config.changed");
}

TEST_F(EngineTest, TouchesNothingWhenNothingChanges) {
    const std::size_t saves = world.disk.saves, applies = world.target.applies, opens = world.factory.opens;
    auto changes = world.engine.commit(base());
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->generation, 1U);
    EXPECT_TRUE(changes->changes.empty());
    EXPECT_EQ(world.disk.saves, saves);
    EXPECT_EQ(world.target.applies, applies);
    EXPECT_EQ(world.factory.opens, opens);
    expect_untouched();
}

TEST_F(EngineTest, DryRunOpensAndSavesNothing) {
    Model next = base();
    put(next, guest("new", "blue"));
    const std::size_t saves = world.disk.saves;
    auto changes = world.engine.commit(next, {.expect_generation = 1, .dry_run = true});
    ASSERT_TRUE(changes);
    EXPECT_TRUE(changes->dry_run);
    EXPECT_EQ(changes->changes.size(), 1U);
    EXPECT_EQ(changes->generation, 1U);
    EXPECT_EQ(world.disk.saves, saves);
    EXPECT_TRUE(world.journal.empty());
    expect_untouched();
}

TEST_F(EngineTest, AnAbsentDeviceRefusesTheWholeChange) {
    Model next = base();
    put(next, guest("a", "blue"));
    put(next, guest("b", "blue"));
    world.factory.absent = {"b"};
    auto changes = world.engine.commit(next);
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code, ErrorCode::device_failed);
    EXPECT_EQ(changes.error().object_name, "b");
    EXPECT_EQ(world.journal, (Journal{"open a 1500", "release a", "close a"}));
    expect_untouched();
}

TEST_F(EngineTest, AFullDiskRefusesTheWholeChange) {
    Model next = base();
    put(next, guest("a", "blue"));
    next.segments["red"].mtu = 9000;
    world.disk.fails = true;
    ASSERT_FALSE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"open a 1500", "mtu db 9000", "release a", "close a", "mtu db 1500"}));
    expect_untouched();
}

TEST_F(EngineTest, ASwitchThatRefusesLeavesTheDiskAsItWas) {
    Model next = base();
    put(next, guest("a", "blue"));
    world.target.fail_next = 1;
    auto changes = world.engine.commit(next);
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code, ErrorCode::limit);
    EXPECT_EQ(world.disk.saves, 3U);  // the first, the refused one, and the first again
    expect_untouched();
}

TEST_F(EngineTest, ChangesTheMtuInPlace) {
    Model next = base();
    next.segments["blue"].mtu = 9000;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"mtu web 9000"}));
}

TEST(EngineReopen, OpensADeviceAnewThatCanNotChangeItsMtu) {
    World world;
    world.factory.can_resize = false;
    ASSERT_TRUE(world.engine.commit(base()));
    world.journal.clear();
    const std::size_t applies = world.target.applies;
    Model next = base();
    next.segments["blue"].mtu = 9000;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"close web", "open web 9000"}));  // not released: the pod keeps its device
    EXPECT_EQ(world.target.applies, applies + 2);                       // the workers let go first
    EXPECT_EQ(world.target.ports.size(), 2U);
}

TEST(EngineReopen, BringsTheOldDeviceBackWhenTheChangeFails) {
    World world;
    world.factory.can_resize = false;
    ASSERT_TRUE(world.engine.commit(base()));
    world.journal.clear();
    Model next = base();
    next.segments["blue"].mtu = 9000;
    world.disk.fails = true;
    ASSERT_FALSE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"close web", "open web 9000", "close web", "open web 1500"}));
    EXPECT_EQ(world.target.ports.size(), 2U);
    EXPECT_EQ(world.target.model, base());
    EXPECT_EQ(world.engine.configured(), base());
}

// A port that waited is opened by a change that also closes another's device for a moment; then the change fails.
TEST(EngineReopen, NoWorkerEverHoldsAPortThatIsGone) {
    World world;
    world.factory.can_resize = false;
    world.factory.absent = {"late"};
    ASSERT_TRUE(world.engine.start(
        {}, {1, model_of(segment("blue", 1), segment("red", 2), guest("web", "blue"), guest("late", "blue"))}));
    world.factory.absent.clear();
    world.factory.on_close = [&](const PortIo* port) {
        for (const auto& [name, held] : world.target.ports) EXPECT_NE(held, port) << name;
    };
    Model next = world.engine.configured();
    next.ports["late"].attachments[0].segment = "red";
    next.segments["blue"].mtu = 9000;
    world.journal.clear();
    world.disk.fails = true;
    ASSERT_FALSE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"open late 1500", "close web", "open web 9000", "release late", "close late",
                                      "close web", "open web 1500"}));
    EXPECT_EQ(world.target.ports.size(), 1U);
    world.disk.fails = false;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.target.ports.size(), 2U);
    world.factory.on_close = {};
    world.target.ports.clear();
}

TEST(EngineReopen, TouchesNobodyWhenANewDeviceIsAbsent) {
    World world;
    world.factory.can_resize = false;
    ASSERT_TRUE(world.engine.commit(base()));
    world.journal.clear();
    Model next = base();
    next.segments["blue"].mtu = 9000;
    put(next, guest("z", "blue"));
    world.factory.absent = {"z"};
    ASSERT_FALSE(world.engine.commit(next));
    EXPECT_TRUE(world.journal.empty());
    EXPECT_EQ(world.target.ports.size(), 2U);
}

TEST_F(EngineTest, APortMayTakeOverTheDeviceOfOneThatGoes) {
    Model next = base();
    Port renamed = next.ports["web"];
    next.ports.erase("web");
    renamed.name = "www";
    put(next, renamed);
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.journal, (Journal{"close web", "open www 1500"}));
    EXPECT_EQ(world.target.ports.count("www"), 1U);
}

TEST_F(EngineTest, ADeviceThatGoesIsWaitedFor) {
    world.engine.port_event("web", world.factory.tokens["web"], PortEvent::device_removed);
    EXPECT_EQ(world.journal, (Journal{"close web"}));
    EXPECT_EQ(world.target.ports.count("web"), 0U);
    auto condition = world.engine.port_condition("web");
    EXPECT_EQ(condition.status, PortCondition::Status::waiting);
    EXPECT_EQ(condition.reason->message, "the device has gone");
    world.pass(std::chrono::milliseconds(1000));
    EXPECT_EQ(world.engine.port_condition("web").status, PortCondition::Status::up);
    EXPECT_EQ(world.target.ports.count("web"), 1U);
}

TEST_F(EngineTest, EventsOfAFormerDeviceAreNotItsSuccessors) {
    const std::uint64_t old = world.factory.tokens["web"];
    world.engine.port_event("web", old, PortEvent::device_removed);
    world.pass(std::chrono::milliseconds(1000));
    world.engine.port_event("web", old, PortEvent::device_removed);
    EXPECT_EQ(world.engine.port_condition("web").status, PortCondition::Status::up);
}

TEST_F(EngineTest, RemovingAWaitingPortForgetsIt) {
    world.engine.port_event("web", world.factory.tokens["web"], PortEvent::device_removed);
    Model next = base();
    next.ports.erase("web");
    ASSERT_TRUE(world.engine.commit(next));
    const std::size_t opens = world.factory.opens;
    world.pass(std::chrono::milliseconds(10'000));
    EXPECT_EQ(world.factory.opens, opens);
}

TEST_F(EngineTest, AWaitingPortCanBeChanged) {
    world.factory.absent = {"web"};
    world.engine.port_event("web", world.factory.tokens["web"], PortEvent::device_removed);
    Model next = base();
    next.ports["web"].mtu = 1400;
    EXPECT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.engine.port_condition("web").status, PortCondition::Status::waiting);
}

}  // namespace
}  // namespace bulkhead
