// SPDX-License-Identifier: Apache-2.0
// An underlay's host TAP in transactions: a port that nobody configured, which lives by its underlay and its NIC.
#include "vswitch/model/host_tap.h"

#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

const std::string kTap = "host:bh-host0";

Model base(const std::string& host_tap = "bh-host0", const std::string& port = "uplink0") {
    Underlay shared = underlay("u0", port);
    shared.host_tap = host_tap;
    return model_of(nic(port), shared);
}

struct HostTapWorld : World {
    HostTapWorld() { factory.macs["uplink0"] = "02:00:00:00:00:aa"; }
    std::string mac() { return std::get<TapDevice>(factory.opened.at(kTap).device).mac.value().to_string(); }
    void report(const std::string& port, PortEvent event) { engine.port_event(port, factory.tokens[port], event); }
};

TEST(HostTap, IsOpenedBehindItsNicAndLikeIt) {
    for (const char* port : {"uplink0", "eth0"}) {  // one stands before it in the order of names
        HostTapWorld world;
        world.factory.macs[port] = "02:00:00:00:00:aa";
        Model model = base("bh-host0", port);
        model.underlays["u0"].mtu = 9000;
        auto done = world.engine.commit(model);
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(world.count("open " + kTap + " 9000"), 1U);
        EXPECT_EQ(world.mac(), "02:00:00:00:00:aa");
        EXPECT_TRUE(world.target.ports.contains(kTap));
        EXPECT_TRUE(world.target.model.ports.contains(kTap));
        EXPECT_EQ(world.engine.configured(), model) << "it is no port of the configuration";
        EXPECT_EQ(world.disk.saved.model, model);
        EXPECT_EQ(world.engine.port_condition(kTap).status, PortCondition::Status::up);
    }
}

TEST(HostTap, GoesForGoodWithItsUnderlayOrItsName) {
    HostTapWorld world;
    ASSERT_TRUE(world.engine.commit(base()));
    ASSERT_TRUE(world.engine.commit(base("other")));
    EXPECT_EQ(world.count("release " + kTap), 1U);
    EXPECT_TRUE(world.target.ports.contains("host:other"));
    ASSERT_TRUE(world.engine.commit(model_of(nic("uplink0"))));
    EXPECT_EQ(world.count("release host:other"), 1U);
    EXPECT_EQ(world.target.ports.size(), 1U);
}

TEST(HostTap, TakesTheMtuOfItsUnderlay) {
    HostTapWorld world;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    next.underlays["u0"].mtu = 1400;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.count("mtu " + kTap + " 1400"), 1U);
}

TEST(HostTap, WhatCannotBeMadeIsRefusedInTheWordsOfTheUnderlay) {
    HostTapWorld world;
    world.factory.absent = {kTap};
    const auto refusal = world.engine.commit(base());
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().object_kind + " " + refusal.error().object_name, "underlay u0");
    EXPECT_EQ(refusal.error().field, "/host_tap");
    EXPECT_TRUE(world.engine.configured().underlays.empty());
    EXPECT_TRUE(world.target.ports.empty());
}

TEST(HostTap, AtStartItWaitsAndTheUnderlayDoesNot) {
    HostTapWorld world;
    world.factory.absent = {kTap};
    ASSERT_TRUE(world.engine.start({}, {1, base()}));
    EXPECT_TRUE(world.target.ports.contains("uplink0"));
    EXPECT_EQ(world.engine.port_condition(kTap).status, PortCondition::Status::waiting);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::underlay, "u0"}), nullptr);
    world.factory.absent.clear();
    world.pass(std::chrono::milliseconds(1100));
    EXPECT_EQ(world.engine.port_condition(kTap).status, PortCondition::Status::up);
}

TEST(HostTap, WaitsForItsNic) {
    HostTapWorld world;
    world.factory.absent = {"uplink0"};
    ASSERT_TRUE(world.engine.start({}, {1, model_of(nic("uplink0"))}));
    // An underlay may be put on a NIC that waits, and so may its host TAP.
    auto done = world.engine.commit(base());
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(world.engine.port_condition(kTap).reason->message, "port \"uplink0\" is not open");
    for (int second = 0; second < 20; ++second) world.pass(std::chrono::milliseconds(1000));
    EXPECT_EQ(world.count("open " + kTap + " 1500"), 0U);
    world.factory.absent.clear();
    for (int second = 0; second < 7; ++second) world.pass(std::chrono::milliseconds(1000));
    EXPECT_TRUE(world.target.ports.contains(kTap));
    EXPECT_EQ(world.mac(), "02:00:00:00:00:aa");
}

TEST(HostTap, GoesAndComesBackWithItsNic) {
    HostTapWorld world;
    ASSERT_TRUE(world.engine.commit(base()));
    world.events.clear();
    world.report("uplink0", PortEvent::device_removed);
    EXPECT_TRUE(world.target.ports.empty());
    EXPECT_EQ(world.count("release " + kTap), 0U) << "the kernel's addresses would go with it";
    ASSERT_FALSE(world.events.empty());
    EXPECT_EQ(world.events[0].kind, "port.waiting");
    EXPECT_EQ(world.events[0].fields.at("port"), kTap);
    world.factory.macs["uplink0"] = "02:00:00:00:00:bb";  // another card
    for (int second = 0; second < 3; ++second) world.pass(std::chrono::milliseconds(1100));
    EXPECT_EQ(world.target.ports.size(), 2U);
    EXPECT_EQ(world.mac(), "02:00:00:00:00:bb");
}

TEST(HostTap, IsOpenedAnewWithItsNic) {
    HostTapWorld world;
    world.factory.can_resize = false;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    next.underlays["u0"].mtu = 1400;
    world.factory.macs["uplink0"] = "02:00:00:00:00:bb";
    auto done = world.engine.commit(next);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(world.mac(), "02:00:00:00:00:bb");
    EXPECT_EQ(world.count("release " + kTap), 0U);
    EXPECT_EQ(world.target.ports.size(), 2U);
}

TEST(HostTap, ARollBackBringsItBack) {
    HostTapWorld world;
    world.factory.can_resize = false;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    next.underlays["u0"].mtu = 1400;
    world.disk.fails = true;
    EXPECT_FALSE(world.engine.commit(next));
    EXPECT_EQ(world.target.ports.size(), 2U);
    EXPECT_EQ(world.engine.port_condition(kTap).status, PortCondition::Status::up);
    world.disk.fails = false;
    ASSERT_TRUE(world.engine.commit(model_of(nic("uplink0")), {.confirm_within = std::chrono::seconds(1)}));
    EXPECT_EQ(world.target.ports.size(), 1U);
    world.pass(std::chrono::milliseconds(1100));
    EXPECT_EQ(world.target.ports.size(), 2U);
    EXPECT_EQ(world.count("release " + kTap), 0U) << "nobody confirmed that it goes";
}

TEST(HostTap, ItsInterfaceIsNobodysPort) {
    HostTapWorld world;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    Port tap;
    tap.name = "web";
    tap.device = TapDevice{.netns = "", .ifname = "bh-host0", .mac = {}, .owner_uid = {}};
    put(next, tap);
    const auto refusal = world.engine.commit(next);
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().object_kind + " " + refusal.error().object_name, "port web");
    EXPECT_EQ(refusal.error().field, "/ifname");
}

}  // namespace
}  // namespace bulkhead
