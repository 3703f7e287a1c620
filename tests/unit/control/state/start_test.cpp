// SPDX-License-Identifier: Apache-2.0
// The start: what can't be yet waits, and never stops it.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;

TEST(Start, PutsFileAndSavedObjectsInForceTogether) {
    World world;
    const Model file = model_of(segment("blue", 1, "file"));
    const Model saved = model_of(guest("web", "blue", "cni"));
    auto displaced = world.engine.start(file, {41, saved});
    ASSERT_TRUE(displaced);
    EXPECT_TRUE(displaced->empty());
    EXPECT_EQ(world.engine.generation(), 41U);
    EXPECT_EQ(world.target.model.segments.size(), 1U);
    EXPECT_EQ(world.target.ports.count("web"), 1U);
    EXPECT_EQ(world.disk.saves, 0U);
}

TEST(Start, TheFileWinsAName) {
    World world;
    auto displaced = world.engine.start(model_of(segment("blue", 1, "file")), {1, model_of(segment("blue", 9))});
    ASSERT_TRUE(displaced);
    EXPECT_EQ(*displaced, (std::vector<ObjectKey>{{ObjectKind::segment, "blue"}}));
    EXPECT_EQ(world.engine.configured().segments.at("blue").vni, 1U);
}

TEST(Start, TheFilesObjectsAreNotSaved) {
    World world;
    ASSERT_TRUE(world.engine.start(model_of(segment("blue", 1, "file")), {}));
    Model next = world.engine.configured();
    put(next, guest("web", "blue"));
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.disk.saved.model, model_of(guest("web", "blue")));
}

TEST(Start, WhatDoesNotFitWaitsAloneAndIsNotLost) {
    World world;
    // The file has taken VNI 1 and the path of "web" since the others were saved; "aaa" sorts before "blue".
    Port thief = guest("thief", "blue", "file");
    thief.device = guest("web").device;
    const Model file = model_of(segment("blue", 1, "file"), thief);
    const Model saved =
        model_of(segment("aaa", 1), guest("web", "blue"), guest("on-aaa", "aaa"), guest("fine", "blue"));
    ASSERT_TRUE(world.engine.start(file, {5, saved}));
    EXPECT_EQ(world.target.model.segments.count("blue"), 1U);
    EXPECT_EQ(world.target.model.segments.count("aaa"), 0U);
    EXPECT_EQ(world.target.ports.size(), 2U);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::segment, "aaa"})->field, "/vni");
    EXPECT_EQ(world.engine.port_condition("web").reason->field, "/path");
    EXPECT_EQ(world.engine.port_condition("on-aaa").status, PortCondition::Status::waiting);
    EXPECT_EQ(world.engine.configured().ports.size(), 4U);

    // A change of something else keeps them in the state folder.
    Model next = world.engine.configured();
    put(next, segment("red", 2));
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.disk.saved.model.segments.count("aaa"), 1U);

    // Whoever wants to use one that waits hears why.
    put(next, guest("late", "aaa"));
    auto late = world.engine.commit(next);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::not_ready);
    next.ports.erase("late");

    // When the way is free they come into force.
    next.ports.erase("thief");
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.target.ports.count("web"), 1U);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::port, "web"}), nullptr);
}

TEST(Start, OneThatComesIntoForceWithoutItsDeviceDoesNotRefuseTheChange) {
    World world;
    ASSERT_TRUE(world.engine.start(model_of(segment("blue", 1, "file")),
                                   {1, model_of(segment("red", 1), guest("web", "red"))}));
    world.factory.absent = {"web"};
    Model next = world.engine.configured();
    next.segments.erase("blue");
    auto changes = world.engine.commit(next);
    ASSERT_TRUE(changes) << changes.error().message;
    EXPECT_EQ(world.target.model.segments.count("red"), 1U);
    EXPECT_EQ(world.engine.port_condition("web").reason->code, ErrorCode::device_failed);
}

TEST(Start, AnAbsentDeviceIsTriedAgainEverMoreRarely) {
    World world;
    world.factory.absent = {"web"};
    ASSERT_TRUE(world.engine.start({}, {1, model_of(segment("blue", 1), guest("web", "blue"), guest("db", "blue"))}));
    EXPECT_EQ(world.target.ports.count("db"), 1U);
    EXPECT_EQ(world.engine.port_condition("web").reason->message, "no such device");
    const std::size_t opens = world.factory.opens;
    for (int i = 0; i < 600; ++i) world.pass(milliseconds(100));
    const std::size_t tries = world.factory.opens - opens;
    EXPECT_GE(tries, 12U);  // after 1, 2, 4, then each 5 s
    EXPECT_LE(tries, 16U);
    world.factory.absent.clear();
    for (int i = 0; i < 51; ++i) world.pass(milliseconds(100));
    EXPECT_EQ(world.engine.port_condition("web").status, PortCondition::Status::up);
    EXPECT_EQ(world.target.ports.count("web"), 1U);
    EXPECT_EQ(world.events.back().kind, "port.opened");
}

TEST(Start, ANamespaceThatAppearsIsNoticedWithinASecond) {
    const auto path = std::filesystem::temp_directory_path() / ("bulkhead-netns-" + std::to_string(::getpid()));
    Port pod = guest("pod", "blue");
    pod.device = TapDevice{.netns = path, .ifname = "net1", .mac = {}, .owner_uid = {}};
    World world;
    world.factory.absent = {"pod"};
    ASSERT_TRUE(world.engine.start({}, {1, model_of(segment("blue", 1), pod)}));
    const std::size_t opens = world.factory.opens;
    for (int i = 0; i < 300; ++i) world.pass(milliseconds(100));
    EXPECT_EQ(world.factory.opens, opens);  // looked for, not opened
    std::ofstream(path).put('\n');
    world.factory.absent.clear();
    for (int i = 0; i < 6; ++i) world.pass(milliseconds(100));
    std::filesystem::remove(path);
    EXPECT_EQ(world.engine.port_condition("pod").status, PortCondition::Status::up);
}

TEST(Start, DevicesThatFailForEverLeaveTheOthersTheirTurn) {
    World world;
    Model saved = model_of(segment("blue", 1));
    for (int i = 0; i < 1000; ++i) put(saved, guest("p" + std::to_string(i), "blue"));
    put(saved, guest("z", "blue"));
    for (const auto& [name, port] : saved.ports) world.factory.absent.insert(name);
    ASSERT_TRUE(world.engine.start({}, {1, saved}));
    world.factory.absent.erase("z");
    for (int i = 0; i < 200; ++i) world.pass(milliseconds(100));
    EXPECT_EQ(world.target.ports.count("z"), 1U);
}

TEST(Start, AThousandAbsentDevicesDoNotHoldUpATick) {
    World world;
    Model saved = model_of(segment("blue", 1));
    for (int i = 0; i < 1000; ++i) {
        put(saved, guest("p" + std::to_string(i), "blue"));
        world.factory.absent.insert("p" + std::to_string(i));
    }
    ASSERT_TRUE(world.engine.start({}, {1, saved}));
    std::size_t opens = world.factory.opens;
    world.pass(milliseconds(5000));
    EXPECT_LE(world.factory.opens - opens, 16U);
    // And everyone has a turn.
    world.factory.absent.clear();
    for (int i = 0; i < 100; ++i) world.pass(milliseconds(100));
    EXPECT_EQ(world.target.ports.size(), 1000U);
    // Open devices too are asked in turn, so that each notices in time that it is gone.
    for (int i = 0; i < 40; ++i) world.pass(milliseconds(100));
    for (const auto& [name, io] : world.target.ports) EXPECT_GE(dynamic_cast<FakePortIo*>(io)->looks, 1U) << name;
}

}  // namespace
}  // namespace bulkhead
