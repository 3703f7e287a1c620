// SPDX-License-Identifier: Apache-2.0
// Underlays and tunnels in transactions: what hangs on what, what waits, what is told.
#include <functional>

#include <gtest/gtest.h>

#include "control/state/owned_objects.h"
#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

const MacAddress kMac(0x020000000001);

Segment small(std::string name, std::uint32_t vni) {
    Segment result = segment(std::move(name), vni);
    result.mtu = 1400;
    return result;
}

Model base() {
    StaticMac entry{.owner = {}, .segment = "blue", .mac = kMac, .port = {}, .tunnel = "edge-2", .ips = {}};
    return model_of(small("blue", 1), small("red", 2), small("gray", 3), guest("web", "red"), nic("uplink0"),
                    nic("spare"), underlay("u0", "uplink0"), tunnel("edge-2", "u0", "192.0.2.2", {"blue", "gray"}),
                    entry);
}

struct BadChange {
    const char* what;
    std::function<void(Model&)> spoil;
    ErrorCode code;
    const char* object;
    const char* field;
};

const BadChange kBadChanges[] = {
    {"type changed", [](Model& m) { m.tunnels["edge-2"].type = TunnelType::geneve; }, ErrorCode::invalid_params,
     "tunnel edge-2", "/type"},
    {"remote changed", [](Model& m) { m.tunnels["edge-2"].remote = *IpAddress::parse("192.0.2.3"); },
     ErrorCode::invalid_params, "tunnel edge-2", "/remote"},
    {"port of an underlay changed", [](Model& m) { m.underlays["u0"].port = "spare"; }, ErrorCode::invalid_params,
     "underlay u0", "/port"},
    {"segment of a tunnel gone", [](Model& m) { m.segments.erase("gray"); }, ErrorCode::in_use, "segment gray", ""},
    {"underlay of a tunnel gone", [](Model& m) { m.underlays.erase("u0"); }, ErrorCode::in_use, "underlay u0", ""},
    {"port of an underlay gone", [](Model& m) { m.ports.erase("uplink0"); }, ErrorCode::in_use, "port uplink0", ""},
    {"tunnel with an entry gone", [](Model& m) { m.tunnels.erase("edge-2"); }, ErrorCode::in_use, "tunnel edge-2", ""},
    {"tunnel leaves the segment of its entry", [](Model& m) { m.tunnels["edge-2"].segments = {"gray"}; },
     ErrorCode::in_use, "tunnel edge-2", ""},
    {"limits for an underlay's port", [](Model& m) { m.ports["uplink0"].limits.tx_mbps = 10; },
     ErrorCode::invalid_params, "port uplink0", "/limits"},
    {"segment for an underlay's port", [](Model& m) { m.ports["uplink0"].attachments = {attached("blue", 7)}; },
     ErrorCode::invalid_params, "port uplink0", "/vlans/0/segment"},
    {"a MAC that an entry behind a tunnel has",
     [](Model& m) {
         Port port = guest("x", "blue");
         port.attachments[0].macs = {kMac};
         put(m, port);
     },
     ErrorCode::invalid_params, "port x", "/macs/0"},
    {"unknown underlay", [](Model& m) { put(m, tunnel("t", "u9", "192.0.2.9", {})); }, ErrorCode::not_found, "tunnel t",
     "/underlay"},
    {"a segment that grows out of the underlay", [](Model& m) { m.segments["gray"].mtu = 1451; },
     ErrorCode::invalid_params, "segment gray", "/mtu"},
    {"an underlay that shrinks below a segment", [](Model& m) { m.underlays["u0"].mtu = 1449; },
     ErrorCode::invalid_params, "underlay u0", "/mtu"},
    {"a tunnel that takes a segment too large for it",
     [](Model& m) {
         m.segments["red"].mtu = 1500;
         m.tunnels["edge-2"].segments.push_back("red");
     },
     ErrorCode::invalid_params, "tunnel edge-2", "/segments/2"},
};

TEST(Fabric, RefusedChangesNameObjectAndFieldAndChangeNothing) {
    for (const BadChange& bad : kBadChanges) {
        SCOPED_TRACE(bad.what);
        World world;
        auto ready = world.engine.commit(base());
        ASSERT_TRUE(ready) << ready.error().message;
        Model next = base();
        bad.spoil(next);
        for (bool dry_run : {true, false}) {
            auto changes = world.engine.commit(next, {.dry_run = dry_run});
            ASSERT_FALSE(changes);
            EXPECT_EQ(changes.error().code, bad.code) << changes.error().message;
            EXPECT_EQ(changes.error().object_kind + " " + changes.error().object_name, bad.object);
            EXPECT_EQ(changes.error().field, bad.field) << changes.error().message;
        }
        EXPECT_EQ(world.engine.configured(), base());
        EXPECT_EQ(world.disk.saved.model, base());
        EXPECT_EQ(world.target.model, base());
    }
}

TEST(Fabric, ChangesComeInTheOrderOfDependence) {
    World world;
    auto changes = world.engine.commit(base());
    ASSERT_TRUE(changes) << changes.error().message;
    std::vector<ObjectKind> kinds;
    for (const Change& change : changes->changes)
        if (kinds.empty() || kinds.back() != change.object.kind) kinds.push_back(change.object.kind);
    using enum ObjectKind;
    EXPECT_EQ(kinds, (std::vector{segment, port, underlay, tunnel, fdb}));
    EXPECT_EQ(world.target.model, base());
    EXPECT_EQ(world.disk.saved.model, base());
}

TEST(Fabric, AllOfItGoesTogether) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    EXPECT_TRUE(world.engine.commit({}));
    EXPECT_TRUE(world.target.model.tunnels.empty());
}

TEST(Fabric, InUseNamesWhoAndWhose) {
    World world;
    Model model = base();
    model.tunnels["edge-2"].owner = "controller";
    ASSERT_TRUE(world.engine.commit(model));
    model.underlays.clear();
    EXPECT_EQ(world.engine.commit(model).error().message,
              "underlay \"u0\" is in use by tunnel \"edge-2\" of owner \"controller\"");
}

TEST(Fabric, AnEntryMayGoOverToAPort) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    put(next, guest("pod", "blue"));
    StaticMac& entry = next.static_macs.begin()->second;
    entry.tunnel.clear();
    entry.port = "pod";
    next.tunnels["edge-2"].segments = {"gray"};
    auto changes = world.engine.commit(next);
    EXPECT_TRUE(changes) << changes.error().message;
}

TEST(Fabric, WhatDoesNotFitAtStartWaits) {
    World world;
    Model saved = base();
    Model file = model_of(saved.ports.at("uplink0"), saved.segments.at("red"));
    file.ports.at("uplink0").owner = "file";
    file.segments.at("red").owner = "file";
    file.ports.at("uplink0").attachments = {attached("red")};  // since the state was saved
    ASSERT_TRUE(world.engine.start(file, {3, saved}));
    EXPECT_TRUE(world.target.model.underlays.empty());
    EXPECT_TRUE(world.target.model.tunnels.empty());
    EXPECT_EQ(world.engine.configured().tunnels.size(), 1U);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::underlay, "u0"})->field, "/port");
    const Error* reason = world.engine.waiting_reason({ObjectKind::tunnel, "edge-2"});
    ASSERT_NE(reason, nullptr);
    EXPECT_EQ(reason->field, "/underlay");

    // Whoever wants to use what waits hears why.
    Model next = world.engine.configured();
    put(next, tunnel("late", "u0", "192.0.2.9", {}));
    auto late = world.engine.commit(next);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::not_ready);
    EXPECT_TRUE(late.error().message.starts_with("underlay \"u0\" is waiting: ")) << late.error().message;

    // When the way is free they come into force.
    next = world.engine.configured();
    next.ports.at("uplink0").attachments.clear();
    auto freed = world.engine.commit(next);
    ASSERT_TRUE(freed) << freed.error().message;
    EXPECT_EQ(world.target.model.tunnels.size(), 1U);
    EXPECT_EQ(world.target.model.static_macs.size(), 1U);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::tunnel, "edge-2"}), nullptr);
}

TEST(Fabric, AnAbsentNicIsWaitedForAndItsUnderlayStays) {
    World world;
    world.factory.absent = {"uplink0"};
    ASSERT_TRUE(world.engine.start({}, {1, base()}));
    EXPECT_EQ(world.target.model.tunnels.size(), 1U);
    EXPECT_EQ(world.engine.port_condition("uplink0").status, PortCondition::Status::waiting);
}

TEST(Fabric, TheNicTakesTheMtuOfItsUnderlay) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    EXPECT_EQ(world.count("open uplink0 1500"), 1U);
    Model next = base();
    next.underlays["u0"].mtu = 9000;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.count("mtu uplink0 9000"), 1U);
}

TEST(Fabric, AFailedUnderlayIsTold) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    world.events.clear();
    auto report = [&](const char* port, PortEvent event) {
        world.engine.port_event(port, world.factory.tokens[port], event);
    };
    report("web", PortEvent::link_down);
    report("uplink0", PortEvent::link_down);
    report("uplink0", PortEvent::link_up);
    report("uplink0", PortEvent::device_removed);
    std::vector<std::string> kinds;
    for (const EngineEvent& event : world.events) kinds.push_back(event.kind);
    EXPECT_EQ(kinds, (std::vector<std::string>{"port.down", "port.down", "underlay.down", "port.up", "underlay.up",
                                               "port.waiting", "underlay.down"}));
    EXPECT_EQ(world.events[2].fields, nlohmann::json::parse(R"({"underlay": "u0", "port": "uplink0"})"));
    EXPECT_TRUE(world.events[2].port.empty()) << "or tenants might see it";
}

TEST(Fabric, AnOwnersTunnelsAreItsOwn) {
    Tunnel theirs = tunnel("edge-9", "u0", "192.0.2.9", {});
    theirs.owner = "controller";
    auto next = replace_owner(base(), "controller", model_of(theirs));
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(diff(base(), *next), (std::vector<Change>{{ChangeOp::add, {ObjectKind::tunnel, "edge-9"}}}));
    EXPECT_EQ(diff(*next, *replace_owner(*next, "controller", {})),
              (std::vector<Change>{{ChangeOp::remove, {ObjectKind::tunnel, "edge-9"}}}));
    theirs.name = "edge-2";
    next = replace_owner(base(), "controller", model_of(theirs));
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::exists);
    EXPECT_EQ(next.error().message, "tunnel \"edge-2\" belongs to owner \"\"");
    Underlay other = underlay("u0", "spare");
    other.owner = "controller";
    EXPECT_EQ(replace_owner(base(), "controller", model_of(other)).error().code, ErrorCode::exists);
}

}  // namespace
}  // namespace bulkhead
